"""The SVG shapes that the figures of tiles are made of, in units of a field of 80 by 120."""

WIDTH, HEIGHT = 80, 120


def circle(x: float, y: float, radius: float, colour: str) -> str:
    """Return a disc around (x, y)."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}"/>'


def ring(x: float, y: float, radius: float, colour: str, width: float) -> str:
    """Return a circle of a line of this width."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:.1f}"/>'
    )


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a rectangle whose upper left corner is (x, y)."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def shape(points: list[tuple[float, float]], colour: str) -> str:
    """Return a polygon through these points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{path}" fill="{colour}"/>'
