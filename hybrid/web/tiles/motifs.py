"""The figures of the tiles, one for each kind of film. Decoration: nothing depends on their looks.

Each takes the inks of its film's era and the dice of its title, and returns SVG shapes on a field
of 80 by 120.
"""

from collections.abc import Callable, Iterator, Sequence
from math import cos, pi, sin

from hybrid.web.tiles.palettes import Inks
from hybrid.web.tiles.shapes import HEIGHT, WIDTH, box, circle, ring, shape

Dice = Iterator[float]
"""Numbers from 0 up to 1; the same film throws the same."""

Motif = Callable[[Inks, Dice], str]


def _between(dice: Dice, low: float, high: float) -> float:
    return low + (high - low) * next(dice)


def half_light(inks: Inks, dice: Dice) -> str:
    """Return a face of which half is in the dark: drama."""
    x, y, radius = _between(dice, 30, 50), _between(dice, 42, 66), _between(dice, 22, 30)
    lean = _between(dice, -26, 26)
    dark = [(x + lean, 0.0), (WIDTH, 0.0), (WIDTH, HEIGHT), (x - lean, HEIGHT)]
    disc = f'd="M{x:.1f} {y - radius:.1f}a{radius:.1f} {radius:.1f} 0 0 1 0 {2 * radius:.1f}z"'
    return (
        shape(dark, inks.figure)
        + circle(x, y, radius, inks.accent)
        + f'<path {disc} fill="{inks.pale}"/>'
    )


def confetti(inks: Inks, dice: Dice) -> str:
    """Return a grin below things that fly about: comedy."""
    x, y, radius = _between(dice, 34, 46), _between(dice, 62, 76), _between(dice, 22, 30)
    grin = f'd="M{x - radius:.1f} {y:.1f}a{radius:.1f} {radius:.1f} 0 0 0 {2 * radius:.1f} 0z"'
    colours = (inks.pale, inks.accent, inks.figure)
    bits = [
        circle(
            _between(dice, 6, 74),
            _between(dice, 8, 50),
            _between(dice, 2, 6),
            colours[index % 3],
        )
        for index in range(7)
    ]
    return f'<path {grin} fill="{inks.figure}"/>' + "".join(bits)


def lovers(inks: Inks, dice: Dice) -> str:
    """Return two rounds that overlap: romance."""
    x, y = _between(dice, 24, 32), _between(dice, 46, 66)
    apart, radius = _between(dice, 18, 26), _between(dice, 20, 24)
    half = (radius**2 - (apart / 2) ** 2) ** 0.5
    middle = x + apart / 2
    arc = f"{radius:.1f} {radius:.1f} 0 0"
    lens = (
        f'd="M{middle:.1f} {y - half:.1f}A{arc} 1 {middle:.1f} {y + half:.1f}'
        f'A{arc} 1 {middle:.1f} {y - half:.1f}z"'
    )
    return (
        circle(x, y, radius, inks.figure)
        + circle(x + apart, y, radius, inks.accent)
        + f'<path {lens} fill="{inks.pale}"/>'
    )


def mesa(inks: Inks, dice: Dice) -> str:
    """Return a low sun over table mountains: western."""
    horizon, x = _between(dice, 74, 90), _between(dice, 18, 62)
    left, wide = _between(dice, 2, 34), _between(dice, 20, 32)
    top = horizon - _between(dice, 14, 26)
    rock = [
        (left, horizon),
        (left + 4, top),
        (left + wide - 4, top),
        (left + wide, horizon),
    ]
    return (
        circle(x, horizon - _between(dice, 16, 36), _between(dice, 13, 19), inks.accent)
        + shape(rock, inks.figure)
        + box(0, horizon, WIDTH, HEIGHT - horizon, inks.figure)
        + box(0, horizon + 10, WIDTH, 1.5, inks.ground)
    )


def blinds(inks: Inks, dice: Dice) -> str:
    """Return light that falls through blinds: crime and noir."""
    x, y = _between(dice, 26, 54), _between(dice, 40, 70)
    step = _between(dice, 12, 17)
    slats = [
        box(0, index * step, WIDTH, step * 0.55, inks.ground)
        for index in range(int(HEIGHT / step) + 1)
    ]
    return (
        box(0, 0, WIDTH, HEIGHT, inks.figure)
        + circle(x, y, _between(dice, 20, 27), inks.accent)
        + "".join(slats)
        + circle(x + 9, y + 12, 5, inks.pale)
    )


def converging(inks: Inks, dice: Dice) -> str:
    """Return frames that close in: thriller and mystery."""
    x, y = _between(dice, 28, 52), _between(dice, 40, 80)
    frames = []
    for index in range(5):
        part = 1 - index / 5
        colour = (inks.figure, inks.ground)[index % 2]
        turned = [
            (x + part * 70 * cos(angle), y + part * 70 * sin(angle))
            for angle in (pi * (side / 2 + index * 0.09) for side in range(4))
        ]
        frames.append(shape(turned, colour))
    return "".join(frames) + circle(x, y, _between(dice, 5, 8), inks.accent)


def rays(inks: Inks, dice: Dice) -> str:
    """Return a burst: action, superheroes, disasters."""
    x, y = _between(dice, 20, 60), _between(dice, 54, 88)
    number = 7 + int(next(dice) * 4)
    start = next(dice)
    beams = []
    for index in range(number):
        angle = 2 * pi * (index + start) / number
        ends = [(x + 160 * cos(angle + turn), y + 160 * sin(angle + turn)) for turn in (0, 0.26)]
        beams.append(shape([(x, y), *ends], inks.figure))
    return "".join(beams) + circle(x, y, 15, inks.accent) + circle(x, y, 7, inks.pale)


def ridges(inks: Inks, dice: Dice) -> str:
    """Return one range of hills behind another: adventure."""
    sun = circle(_between(dice, 16, 64), _between(dice, 22, 40), _between(dice, 8, 13), inks.pale)
    ranges = []
    for base, colour in ((62, inks.accent), (82, inks.figure), (101, inks.pale)):
        peak, other = _between(dice, 8, 38), _between(dice, 44, 74)
        height = _between(dice, 14, 30)
        ranges.append(
            shape(
                [
                    (0, base),
                    (peak, base - height),
                    ((peak + other) / 2, base - 4),
                    (other, base - height * 0.7),
                    (WIDTH, base),
                    (WIDTH, HEIGHT),
                    (0, HEIGHT),
                ],
                colour,
            )
        )
    return sun + "".join(ranges)


def teeth(inks: Inks, dice: Dice) -> str:
    """Return jaws that have a moon between them: horror."""
    number = 4 + int(next(dice) * 3)
    wide = WIDTH / number
    upper, lower = _between(dice, 24, 40), _between(dice, 24, 44)
    jaws = [
        shape(
            [(index * wide, edge), ((index + 0.5) * wide, tip), ((index + 1) * wide, edge)],
            inks.figure,
        )
        for index in range(number)
        for edge, tip in ((14.0, 14 + upper), (HEIGHT - 14.0, HEIGHT - 14 - lower))
    ]
    return (
        circle(_between(dice, 24, 56), _between(dice, 54, 66), _between(dice, 11, 16), inks.accent)
        + box(0, 0, WIDTH, 14.2, inks.figure)
        + box(0, HEIGHT - 14.2, WIDTH, 14.2, inks.figure)
        + "".join(jaws)
    )


def orbits(inks: Inks, dice: Dice) -> str:
    """Return a planet and what goes round it: science fiction."""
    x, y = _between(dice, 16, 64), _between(dice, 66, 104)
    shapes = [circle(x, y, _between(dice, 14, 20), inks.accent)]
    for index in range(3):
        radius = 30 + index * _between(dice, 13, 17)
        angle = pi * (1.05 + 0.9 * next(dice))
        shapes.append(ring(x, y, radius, inks.figure, 1.4))
        moon = (inks.pale, inks.figure)[index % 2]
        shapes.append(
            circle(x + radius * cos(angle), y + radius * sin(angle), _between(dice, 2.5, 5.5), moon)
        )
    return "".join(shapes)


def ranks(inks: Inks, dice: Dice) -> str:
    """Return chevrons in file: war."""
    height, step = _between(dice, 10, 15), _between(dice, 22, 28)
    rise = _between(dice, 14, 24)
    shapes = []
    for index in range(5):
        top = 12 + index * step
        colour = inks.accent if index == int(height) % 3 + 1 else inks.figure
        shapes.append(
            shape(
                [
                    (0, top + rise),
                    (40, top),
                    (WIDTH, top + rise),
                    (WIDTH, top + rise + height),
                    (40, top + height),
                    (0, top + rise + height),
                ],
                colour,
            )
        )
    return "".join(shapes)


def keys(inks: Inks, dice: Dice) -> str:
    """Return bars as high as notes: musical, dance, performance."""
    shapes = []
    for index in range(6):
        height = _between(dice, 22, 92)
        colour = (inks.figure, inks.accent, inks.figure, inks.pale)[index % 4]
        shapes.append(box(7 + index * 11.4, 108 - height, 8, height, colour))
    return "".join(shapes)


def bounce(inks: Inks, dice: Dice) -> str:
    """Return a ball in five positions: animation and family."""
    low = _between(dice, 84, 96)
    shapes = [box(0, low + 10, WIDTH, HEIGHT - low - 10, inks.figure)]
    for index in range(5):
        along = index / 4
        y = low - abs(cos(along * pi * 1.5)) * _between(dice, 46, 64)
        colour = inks.pale if index < 4 else inks.accent
        shapes.append(circle(8 + along * 62, y, 4 + index * 1.6, colour))
    return "".join(shapes)


def moon(inks: Inks, dice: Dice) -> str:
    """Return a crescent and stars: fantasy and the supernatural."""
    x, y, radius = _between(dice, 30, 50), _between(dice, 40, 62), _between(dice, 20, 26)
    away = _between(dice, 8, 13)
    shapes = [
        circle(x, y, radius, inks.accent),
        circle(x + away, y - away * 0.6, radius * 0.9, inks.ground),
    ]
    for _ in range(6):
        at, to, size = _between(dice, 6, 74), _between(dice, 6, 114), _between(dice, 2, 5)
        star = [(at, to - size), (at + size / 3, to), (at, to + size), (at - size / 3, to)]
        shapes.append(shape(star, inks.pale))
    return "".join(shapes)


def viewfinder(inks: Inks, dice: Dice) -> str:
    """Return the corners of a frame and what is in it: documentary."""
    inset = _between(dice, 10, 15)
    right, bottom = WIDTH - inset, HEIGHT - inset
    arms = [
        box(x, y, wide, high, inks.figure)
        for x in (inset, right - 14)
        for y, wide, high in ((inset, 14, 3), (bottom - 3, 14, 3))
    ] + [box(x, y, 3, 14, inks.figure) for x in (inset, right - 3) for y in (inset, bottom - 14)]
    return (
        "".join(arms)
        + circle(40, _between(dice, 48, 66), _between(dice, 10, 16), inks.accent)
        + circle(right - 8, inset + 9, 2.6, inks.pale)
    )


def columns(inks: Inks, dice: Dice) -> str:
    """Return pillars and a gable: history and lives of people."""
    top, number = _between(dice, 34, 46), 3 + int(next(dice) * 3)
    step = 60 / number
    pillars = [
        box(10 + (index + 0.2) * step, top + 8, step * 0.6, 92 - top, inks.figure)
        for index in range(number)
    ]
    return (
        shape([(6, top), (40, top - _between(dice, 14, 24)), (74, top)], inks.accent)
        + box(8, top + 2, 64, 4, inks.figure)
        + "".join(pillars)
        + box(4, 100, 72, 6, inks.pale)
    )


def lanes(inks: Inks, dice: Dice) -> str:
    """Return the bend of a track: sport."""
    x, y = _between(dice, -8, 16), _between(dice, 104, 126)
    shapes = [
        ring(x, y, 34 + index * 15, (inks.figure, inks.accent)[index == 2], 8) for index in range(5)
    ]
    angle = -pi * _between(dice, 0.15, 0.4)
    runner = circle(x + 79 * cos(angle), y + 79 * sin(angle), 5, inks.pale)
    return "".join(shapes) + runner


def iris(inks: Inks, dice: Dice) -> str:
    """Return the iris that closes a scene: silent and short films."""
    x, y = _between(dice, 28, 52), _between(dice, 42, 72)
    radius = _between(dice, 24, 31)
    x_eye, y_eye = x + _between(dice, -8, 8), y + _between(dice, -8, 8)
    return (
        box(0, 0, WIDTH, HEIGHT, inks.figure)
        + circle(x, y, radius + 4, inks.ground)
        + circle(x, y, radius, inks.pale)
        + circle(x_eye, y_eye, radius * 0.5, inks.accent)
        + circle(x_eye, y_eye, radius * 0.2, inks.figure)
    )


def quarters(inks: Inks, dice: Dice) -> str:
    """Return quarter rounds that the title turned: everything else."""
    shapes = []
    for x in (0, 40):
        for y in (0, 40, 80):
            corner = int(next(dice) * 4)
            colour = (inks.figure, inks.accent, inks.pale, inks.figure)[int(next(dice) * 4)]
            left, top = x + 40 * (corner % 2), y + 40 * (corner // 2)
            across, down = (-40 if corner % 2 else 40), (-40 if corner // 2 else 40)
            sweep = int((across > 0) == (down > 0))
            path = f"M{left} {top}h{across}A40 40 0 0 {sweep} {left} {top + down}z"
            shapes.append(f'<path d="{path}" fill="{colour}"/>')
    return "".join(shapes)


def windows(inks: Inks, dice: Dice) -> str:
    """Return a house front at night, some windows lit: crime, noir, drama."""
    across = 3 + int(next(dice) * 2)
    step = WIDTH / across
    panes = []
    for row in range(6):
        for column in range(across):
            lit = next(dice)
            colour = inks.pale if lit < 0.16 else inks.accent if lit < 0.3 else inks.figure
            panes.append(box(column * step + step * 0.18, row * 20 + 4, step * 0.64, 13, colour))
    return "".join(panes)


def lamp(inks: Inks, dice: Dice) -> str:
    """Return the cone of a lamp, and who stands in it: noir, thriller, mystery."""
    x, top = _between(dice, 22, 58), _between(dice, 6, 22)
    spread = _between(dice, 30, 46)
    stands = x + _between(dice, -12, 12)
    tall = _between(dice, 22, 34)
    return (
        shape([(x, top), (x + spread, HEIGHT), (x - spread, HEIGHT)], inks.figure)
        + circle(x, top, 5, inks.pale)
        + shape(
            [(stands - 6, HEIGHT - 8), (stands + 6, HEIGHT - 8), (stands, HEIGHT - 8 - tall)],
            inks.accent,
        )
        + circle(stands, HEIGHT - 10 - tall, 4.5, inks.accent)
    )


def stairs(inks: Inks, dice: Dice) -> str:
    """Return stairs into the light: drama, thriller."""
    steps = 4 + int(next(dice) * 4)
    rise, run = 84 / steps, WIDTH / steps
    flight = [(0.0, float(HEIGHT))]
    for index in range(steps):
        flight += [
            (index * run, HEIGHT - 6 - index * rise),
            ((index + 1) * run, HEIGHT - 6 - index * rise),
        ]
    door = _between(dice, 9, 14)
    high = _between(dice, 18, 26)
    return (
        shape([*flight, (WIDTH, float(HEIGHT))], inks.figure)
        + circle(_between(dice, 14, 40), _between(dice, 22, 44), door, inks.accent)
        + box(WIDTH - run, HEIGHT - 6 - (steps - 1) * rise - high, run * 0.7, high, inks.pale)
    )


def horizon(inks: Inks, dice: Dice) -> str:
    """Return a sun and its path on the water: drama, romance, adventure."""
    x, level = _between(dice, 20, 60), _between(dice, 56, 76)
    radius = _between(dice, 16, 26)
    waves = []
    for index in range(5):
        wide = radius * _between(dice, 0.5, 2.0)
        waves.append(box(x - wide / 2, level + 6 + index * 9, wide, 3.4, inks.accent))
    return (
        circle(x, level, radius, inks.accent)
        + box(0, level, WIDTH, HEIGHT - level, inks.figure)
        + "".join(waves)
    )


def waves(inks: Inks, dice: Dice) -> str:
    """Return a sea of scales: adventure, war at sea, comedies of summer."""
    radius = _between(dice, 11, 16)
    shapes = []
    for row in range(6):
        y = 40 + row * radius * 0.9
        colour = (inks.figure, inks.accent, inks.pale)[row % 3]
        start = -radius if row % 2 else 0.0
        shapes += [
            circle(start + column * 2 * radius, y + radius, radius, colour) for column in range(5)
        ]
        shapes.append(box(0, y + radius, WIDTH, HEIGHT - y - radius, colour))
    return circle(_between(dice, 20, 60), 22, _between(dice, 7, 12), inks.accent) + "".join(shapes)


def spotlights(inks: Inks, dice: Dice) -> str:
    """Return beams that cross on a stage: musical, comedy, show business."""
    floor = _between(dice, 92, 104)
    beams = []
    for index in range(3):
        lamp_at, spot = 12 + index * 28, _between(dice, 12, 68)
        colour = (inks.figure, inks.accent, inks.figure)[index]
        beams.append(shape([(lamp_at, 0), (spot + 13, floor), (spot - 13, floor)], colour))
        beams.append(
            f'<ellipse cx="{spot:.1f}" cy="{floor:.1f}" rx="13" ry="4.5" fill="{inks.pale}"/>'
        )
    return box(0, floor, WIDTH, HEIGHT - floor, inks.figure) + "".join(beams)


def plait(inks: Inks, dice: Dice) -> str:
    """Return ribbons that change sides: comedy, romance."""
    number = 3 + int(next(dice) * 2)
    swing = _between(dice, 14, 26)
    ribbons = []
    for index in range(number):
        x = WIDTH * (index + 0.5) / number
        turn = swing if index % 2 else -swing
        right, left = f"{x + turn:.1f}", f"{x - turn:.1f}"
        path = f"M{x:.1f} -4C{right} 30 {left} 60 {x:.1f} 84S{right} 120 {x:.1f} 130"
        colour = (inks.figure, inks.accent, inks.pale)[index % 3]
        ribbons.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{44 / number:.1f}"/>'
        )
    return "".join(ribbons)


MOTIFS: dict[str, Sequence[Motif]] = {
    "horror": (teeth,),
    "slasher": (teeth,),
    "western": (mesa, ridges, horizon),
    "sci": (orbits,),
    "noir": (blinds, windows, lamp),
    "crime": (blinds, windows, stairs, converging),
    "heist": (blinds, windows),
    "legal": (columns,),
    "musical": (keys, spotlights),
    "music": (keys, spotlights),
    "dance": (plait, spotlights),
    "performance": (spotlights, keys),
    "anim": (bounce,),
    "family": (bounce, waves),
    "children": (bounce,),
    "documentary": (viewfinder, windows),
    "reality": (viewfinder,),
    "news": (viewfinder,),
    "found footage": (viewfinder,),
    "war": (ranks, horizon),
    "martial": (ranks,),
    "sport": (lanes,),
    "fantasy": (moon, ridges),
    "supernatural": (moon,),
    "thriller": (converging, lamp, stairs),
    "mystery": (lamp, converging),
    "suspense": (converging, stairs),
    "spy": (converging, windows),
    "adventure": (ridges, waves, horizon),
    "superhero": (rays,),
    "disaster": (rays,),
    "action": (rays, converging),
    "histor": (columns,),
    "biograph": (columns,),
    "political": (columns,),
    "romance": (lovers, horizon, plait),
    "erotic": (lovers,),
    "comedy": (confetti, plait, spotlights, quarters),
    "satire": (confetti,),
    "teen": (confetti, quarters),
    "drama": (half_light, stairs, horizon, windows),
    "silent": (iris, half_light),
    "short": (iris, quarters),
}
"""The motifs of genres that begin so."""

PLAIN = ("drama", "silent", "short")
"""Genres that say little: another one of the film goes before."""


def motif(genres: Sequence[str], dice: Dice) -> Motif:
    """Return the figure for one of these genres, which are in their comparable form."""
    fitting = [start for start in MOTIFS if any(genre.startswith(start) for genre in genres)]
    telling = [start for start in fitting if start not in PLAIN] or fitting
    drawn = [one for start in telling for one in MOTIFS[start]] or [quarters, plait, waves, stairs]
    return drawn[int(next(dice) * len(drawn))]
