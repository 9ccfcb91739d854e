"""Fusion, against sums written out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.fusion.methods import (
    NORMALISERS,
    SideScores,
    dbsf,
    min_max,
    normalise_sides,
    weighted_sum,
    z_score,
)
from hybrid.query import FusionMethod
from hybrid.ranking import Ranking, Scores

NAN = float("nan")


def side(scores: list[float], ranks: list[int]) -> SideScores:
    """Make a side whose list is what has a rank."""
    listed = [score for score, rank in zip(scores, ranks, strict=True) if rank]
    return SideScores(np.array(scores), np.array(ranks), np.array(listed, float))


def fuse(keyword: SideScores, semantic: SideScores, method: FusionMethod, alpha: float) -> Scores:
    """Return the fused scores of candidates."""
    return weighted_sum(normalise_sides(keyword, semantic, method), alpha)


KEYWORD = side([12 / 24, 6 / 24, 0.0, 3 / 24], [1, 2, 0, 3])

SEMANTIC = side([0.2, 0.5, 0.9, NAN], [3, 2, 1, 0])


def test_attainable_is_a_share_of_what_the_query_could_score() -> None:
    """Keyword share and cosine as they are; a film without a vector gets nothing from it."""
    fused = fuse(KEYWORD, SEMANTIC, "attainable", 0.25)
    assert fused == pytest.approx(
        [0.75 * 12 / 24 + 0.25 * 0.2, 0.75 * 6 / 24 + 0.25 * 0.5, 0.25 * 0.9, 0.75 * 3 / 24]
    )


def test_rrf_is_a_sum_of_reciprocal_ranks() -> None:
    """Alpha .5 is plain RRF with k=60; a film outside a list gets nothing from it."""
    fused = fuse(KEYWORD, SEMANTIC, "rrf", 0.5)
    assert fused == pytest.approx(
        [1 / (60 + 1) + 1 / (60 + 3), 1 / (60 + 2) + 1 / (60 + 2), 1 / (60 + 1), 1 / (60 + 3)]
    )
    weighted = fuse(KEYWORD, SEMANTIC, "rrf", 0.1)
    assert weighted[0] == pytest.approx(1.8 / (60 + 1) + 0.2 / (60 + 3))


def test_min_max_scales_between_the_list_s_extremes() -> None:
    """The list's best is 1, its worst 0, a completed score below it is clipped to 0."""
    assert min_max(KEYWORD) == pytest.approx([1.0, (6 - 3) / (12 - 3), 0.0, 0.0])


BEYOND = SideScores(
    np.array([-0.5, 0.2, 0.6, 1.5, NAN]), np.array([0, 2, 1, 0, 0]), np.array([0.6, 0.2])
)
"""A list of .6 and .2, and films outside it that score below, above and nothing."""


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("attainable", [-0.5, 0.2, 0.6, 1.5, NAN]),
        ("min_max", [0.0, 0.0, 1.0, 1.0, NAN]),
        # Mean .4, deviation .2.
        ("z_score", [-4.5, -1.0, 1.0, 5.5, NAN]),
        ("dbsf", [0.0, (0.2 + 0.2) / 1.2, (0.6 + 0.2) / 1.2, 1.0, NAN]),
    ],
)
def test_scores_beyond_the_list_s_extremes(method: FusionMethod, expected: list[float]) -> None:
    """min_max and dbsf clip what is below and what is above; no score stays no score."""
    assert NORMALISERS[method](BEYOND) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("min_max", [0.0, 1.0, 1.0, NAN]), ("z_score", [0.0] * 4), ("dbsf", [0.0, 0.5, 1.0, NAN])],
)
@pytest.mark.parametrize("listed", [[0.4], [0.4, 0.4]])
def test_scores_beside_a_list_of_equal_scores(
    method: FusionMethod, expected: list[float], listed: list[float]
) -> None:
    """Below, at and above the one score of a list without spread."""
    scores = np.array([0.3, 0.4, 0.5, NAN])
    equal = SideScores(scores, np.array([0, 1, 0, 0]), np.array(listed))
    assert NORMALISERS[method](equal) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("min_max", [0.75 * 1 + 0.25 * 0, 0.75 / 3 + 0.25 * 3 / 7, 0.25, 0.0]),
        ("rrf", [2 * (0.75 / 61 + 0.25 / 63), 2 / 62, 2 * 0.25 / 61, 2 * 0.75 / 63]),
    ],
)
def test_alpha_is_the_share_of_meaning(method: FusionMethod, expected: list[float]) -> None:
    """Each side counts by its own part, and a score that is missing counts nothing."""
    assert fuse(KEYWORD, SEMANTIC, method, 0.25) == pytest.approx(expected)


def test_z_score_counts_deviations_from_the_mean() -> None:
    """Mean and (population) deviation are the list's; a completed score uses the same."""
    mean, deviation = 7 / 24, ((5**2 + 1 + 4**2) / 3) ** 0.5 / 24
    expected = [(s / 24 - mean) / deviation for s in (12, 6, 0, 3)]
    assert z_score(KEYWORD) == pytest.approx(expected)


def test_dbsf_scales_between_three_deviations() -> None:
    """Mean minus three deviations is 0, plus three is 1."""
    mean, deviation = 7 / 24, ((5**2 + 1 + 4**2) / 3) ** 0.5 / 24
    expected = [(s / 24 - (mean - 3 * deviation)) / (6 * deviation) for s in (12, 6, 0, 3)]
    assert dbsf(KEYWORD) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("method", "expected"), [("min_max", 1.0), ("z_score", 0.0), ("dbsf", 0.5), ("attainable", 0.4)]
)
@pytest.mark.parametrize("hits", [1, 3])
def test_one_hit_or_equal_scores(method: str, expected: float, hits: int) -> None:
    """A list without spread has the documented value, not a division by zero."""
    equal = side([0.4] * hits, list(range(1, hits + 1)))
    normalised = NORMALISERS[method](equal)  # type: ignore[index]
    assert normalised == pytest.approx([expected] * hits)


@pytest.mark.parametrize("method", ["attainable", "min_max", "z_score", "dbsf", "rrf"])
def test_an_absent_side_adds_nothing(method: FusionMethod) -> None:
    """With one engine away the other's order stays; with both there is no film and no error."""
    alone = fuse(SideScores.absent(4), SEMANTIC, method, 0.5)
    assert np.isfinite(alone).all()
    assert alone[2] == alone.max()
    nothing = fuse(SideScores.absent(0), SideScores.absent(0), method, 0.5)
    assert len(nothing) == 0


scores = st.lists(
    st.tuples(st.floats(0, 1, width=32), st.floats(-1, 1, width=32)), min_size=1, max_size=30
)


@given(scores, st.sampled_from(["attainable", "min_max", "dbsf"]), st.floats(0, 1))
def test_scores_stay_between_bounds(
    pairs: list[tuple[float, float]], method: FusionMethod, alpha: float
) -> None:
    """Linear fusions of scores within their bound stay within -alpha..1, and are finite."""
    ranks = list(range(1, len(pairs) + 1))
    keyword = side([k for k, _ in pairs], ranks)
    semantic = side([s for _, s in pairs], ranks)
    fused = fuse(keyword, semantic, method, alpha)
    assert np.isfinite(fused).all()
    assert fused.min() >= -alpha - 1e-9
    assert fused.max() <= 1 + 1e-9


@given(scores, st.sampled_from(["attainable", "min_max", "z_score", "dbsf", "rrf"]))
def test_one_side_alone_keeps_its_order(
    pairs: list[tuple[float, float]], method: FusionMethod
) -> None:
    """Where alpha is 0 no film overtakes one with a higher BM25."""
    ordered = Ranking.sorted(np.arange(len(pairs)), np.array([k for k, _ in pairs], float))
    ranks = ordered.ranks_of(np.arange(len(pairs))).tolist()
    keyword = side([k for k, _ in pairs], ranks)
    fused = fuse(keyword, SideScores.absent(len(pairs)), method, 0.0)
    in_order = fused[ordered.ids]
    assert (np.diff(in_order) <= 1e-9).all()


def test_ranking_sorts_by_score_then_id() -> None:
    """Ties stand in the order of ids, and the cut comes after the sort."""
    ranking = Ranking.sorted(np.array([9, 4, 7, 1]), np.array([0.5, 0.9, 0.9, 0.5]), 3)
    assert ranking.ids.tolist() == [4, 7, 1]
    assert ranking.ranks_of(np.array([7, 9, 4])).tolist() == [2, 0, 1]
