"""Line charts as plain SVG, readable in light and dark, without a plotting library."""

from collections.abc import Mapping
from html import escape

Line = list[tuple[float, float]]
COLOURS = ("#c2410c", "#0369a1", "#4d7c0f", "#7e22ce", "#b45309", "#0f766e", "#be123c", "#475569")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 64, 170, 44, 52


def draw(lines: Mapping[str, Line], *, title: str, x: str, y: str) -> str:
    """An SVG of named lines of (x, y) points."""
    xs = [point[0] for line in lines.values() for point in line]
    ys = [point[1] for line in lines.values() for point in line]
    low_x, high_x = min(xs), max(xs)
    low_y, high_y = _nice(min(ys), max(ys))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - low_x) / ((high_x - low_x) or 1)
        up = (point[1] - low_y) / ((high_y - low_y) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    step = (high_y - low_y) / 5
    for i in range(6):
        value = low_y + i * step
        _, at = place((low_x, value))
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#475569">{value:.3f}</text>')
    for value in range(round(low_x), round(high_x) + 1):
        at, _ = place((value, low_y))
        parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#475569">{value}</text>'
        )
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x)}</text>')
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>')
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(name, [place(point) for point in sorted(line)], number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(name: str, points: list[tuple[float, float]], number: int) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    at = TOP + 8 + number * 20
    dots = [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
    key = WIDTH - RIGHT + 16
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *dots,
        f'<line x1="{key}" x2="{key + 18}" y1="{at}" y2="{at}" stroke="{colour}" stroke-width="3"/>',
        f'<text x="{key + 24}" y="{at + 4}">{escape(name)}</text>',
    ]


def _nice(low: float, high: float) -> tuple[float, float]:
    step = 0.05 if high - low > 0.1 else 0.01
    return int(low / step) * step, (int(high / step) + 1) * step
