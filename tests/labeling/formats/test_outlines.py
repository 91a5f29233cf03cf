"""How alike outlines are, against exact areas and distances."""

import numpy as np
import pytest

from labeling.formats.outlines import line_distance, polygon_overlap

SQUARE = [(10, 10), (30, 10), (30, 30), (10, 30)]


def test_polygons_overlap_by_their_areas():
    assert polygon_overlap(SQUARE, SQUARE) == 1
    assert polygon_overlap(SQUARE, SQUARE[::-1]) == 1, "the way round does not matter"
    assert polygon_overlap(SQUARE, [(20, 10), (40, 10), (40, 30), (20, 30)]) == pytest.approx(1 / 3, abs=0.01)
    assert polygon_overlap(SQUARE, SQUARE[:3]) == pytest.approx(1 / 2, abs=0.01)
    assert polygon_overlap(SQUARE, [(30, 10), (50, 10), (50, 30), (30, 30)]) == 0, "they only touch"
    assert polygon_overlap(SQUARE, [(500, 500), (510, 500), (505, 510)]) == 0


def test_random_triangles_overlap_as_exact_areas_say():
    """The area shared by two triangles, by clipping one with the edges of the other."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        one, other = rng.random((2, 3, 2)) * 100
        shared = area(clipped(list(map(tuple, one)), turned(other)))
        exact = shared / (area(one) + area(other) - shared)
        assert polygon_overlap(one, other) == pytest.approx(exact, abs=0.03)


def area(points) -> float:
    if len(points) < 3:
        return 0.0
    x, y = np.array(points).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def turned(points):
    """With the inside to the left of every edge."""
    x, y = np.array(points).T
    return points if x @ np.roll(y, -1) - y @ np.roll(x, -1) > 0 else points[::-1]


def clipped(points, by):
    """Sutherland and Hodgman: what of the points' polygon lies within the convex polygon `by`."""
    for start, end in zip(by, np.roll(by, -1, axis=0), strict=True):

        def side(point, start=start, end=end):
            return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])

        found = []
        for before, point in zip([points[-1:], *[[p] for p in points[:-1]]], points, strict=True):
            before = before[0]
            if (side(before) >= 0) != (side(point) >= 0):
                share = side(before) / (side(before) - side(point))
                found.append(tuple(np.array(before) + share * (np.array(point) - before)))
            if side(point) >= 0:
                found.append(tuple(point))
        points = found
        if not points:
            return []
    return points


def test_an_outline_that_crosses_itself_is_inside_where_it_turns_oddly():
    twice = [*SQUARE, *SQUARE]
    assert polygon_overlap(twice, SQUARE) == 0, "gone round twice, nothing is inside"
    bow = [(10, 10), (30, 30), (30, 10), (10, 30)]
    assert polygon_overlap(bow, SQUARE) == pytest.approx(1 / 2, abs=0.01)


def test_outlines_without_an_area_are_alike_only_when_they_are_the_same():
    flat = [(1, 1), (5, 1), (9, 1)]
    assert polygon_overlap(flat, flat) == 1
    assert polygon_overlap(flat, [(1, 1), (9, 1), (5, 1)]) == 0
    assert polygon_overlap(flat, SQUARE) == 0


def test_outlines_of_thousands_of_vertices_are_compared():
    """However often they cross themselves."""
    wild = np.random.default_rng(0).random((2, 5000, 2)) * 1000
    assert 0 < polygon_overlap(*wild) < 1


def test_lines_lie_apart_by_their_distance_whichever_way_they_were_drawn():
    line = [(0, 0), (50, 0), (100, 0)]
    assert line_distance(line, line[::-1]) == pytest.approx(0)
    assert line_distance(line, [(100, 5), (0, 5)]) == pytest.approx(5)
    half = line_distance(line, [(0, 0), (50, 0)])
    assert 5 < half < 10, "half of the line is up to 50 pixels from the other, on average 12.5 of one side"
    assert line_distance([(3, 4), (3, 4)], [(0, 0), (0, 0)]) == pytest.approx(5)


def test_an_outline_without_points_is_refused():
    with pytest.raises(ValueError, match="at least one point"):
        polygon_overlap([], SQUARE)
