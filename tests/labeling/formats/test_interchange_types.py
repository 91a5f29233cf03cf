"""Property tests: what is written in a format is read back equal, for every kind of label that the format holds."""

import io
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.formats import masks, rasters, segments
from labeling.formats.interchange import brush, class_tables, conll, kinds, text_lines
from labeling.formats.interchange.archives import ArchiveReader
from labeling.formats.interchange.coco import write_coco
from labeling.formats.interchange.coco_reading import read_coco
from labeling.formats.interchange.detection import in_archive, of_file
from labeling.formats.interchange.items import BadItem, LabeledImage, LabeledText, labeled_image
from labeling.formats.interchange.mask_files import MaskArchive, write_masks
from labeling.formats.interchange.yolo import YoloArchive, write_yolo
from labeling.formats.shapes import ImageSize, Keypoint, Polygon, Segment, Segmentation, Span, Tag

SIZE = ImageSize(60, 40)
LABELS = ["bee", "null", "007", "a|b\\", "=1+1", "'=x", 'ä <&> "', "猫, hund"]
EXAMPLES = settings(max_examples=25, deadline=None)

sure = st.none() | st.sampled_from([0.25, 0.5, 1.0])
labels = st.sampled_from(LABELS)
places = st.tuples(st.integers(0, 600), st.integers(0, 400)).map(lambda p: (p[0] / 10, p[1] / 10))
polygons = st.builds(Polygon, labels, st.lists(places, min_size=3, max_size=6).map(tuple), st.just(True), sure)
points = st.builds(lambda label, place, one: Keypoint(label, *place, one), labels, places, sure)


@st.composite
def segmentations(draw, of_objects=False):
    """Masks without a shared pixel, the confidence of the whole among them."""
    values = np.asarray(draw(st.lists(st.integers(0, 3), min_size=12, max_size=12)), np.uint8).reshape(3, 4)
    pixels = np.kron(values, np.ones((10, 20), np.uint8))[: SIZE.height, : SIZE.width]
    pixels = np.pad(pixels, ((0, SIZE.height - pixels.shape[0]), (0, SIZE.width - pixels.shape[1])))
    named = draw(st.lists(labels, min_size=3, max_size=3, unique=not of_objects))
    found = segments.from_pixels(pixels, dict(enumerate(named, start=1)))
    return replace(found, segments=tuple(replace(one, confidence=draw(sure)) for one in found.segments))


def image(number, parts, confidence=None):
    return labeled_image(f"s3://b/{number}/ü {number}.png", SIZE, parts, confidence=confidence)


def images_of(parts, most=3):
    """Images with such parts; some have none, which says that nothing is there."""
    lists = st.lists(st.lists(parts, max_size=most), min_size=1, max_size=3)
    return lists.map(lambda found: [image(n, one) for n, one in enumerate(found)])


def parts_of(found):
    """[(address, parts)] of what was read; nothing may be bad."""
    assert not [one for one in found if isinstance(one, BadItem) or one.problems], found
    return [(one.uri, [part.part for part in one.parts]) for one in found]


def written(write, objects, **options):
    out = io.BytesIO()
    assert write(objects, out, **options) == len(objects)
    out.seek(0)
    return out


class TestImages:
    @EXAMPLES
    @given(images_of(polygons))
    def test_polygons_in_coco(self, images):
        found = read_coco(written(write_coco, images, labels=LABELS), wanted=kinds.POLYGONS)
        assert found.labels == tuple(LABELS)
        assert parts_of(list(found.found())) == [(one.source, list(one.outlines)) for one in images]

    @EXAMPLES
    @given(images_of(polygons))
    def test_polygons_in_yolo_without_their_confidences(self, images):
        archive = YoloArchive(written(write_yolo, images, labels=LABELS), wanted=kinds.POLYGONS)
        found = [one for one in archive.items() if isinstance(one, LabeledImage)]
        for back, one in zip(found, images, strict=True):
            # An outline without an area is none: whoever reads it says so.
            kept = [outline for outline in one.outlines if _has_area(outline)]
            assert [outline.label for outline in back.outlines] == [outline.label for outline in kept]
            for given_, outline in zip(back.outlines, kept, strict=True):
                assert np.asarray(given_.vertices) == pytest.approx(np.asarray(outline.vertices), abs=1e-9)

    @EXAMPLES
    @given(images_of(points, most=6))
    def test_points_in_coco_in_another_order(self, images):
        found = read_coco(written(write_coco, images, labels=LABELS, points=True), wanted=kinds.POINTS)
        assert found.labels == tuple(LABELS)
        back = [(uri, Counter(parts)) for uri, parts in parts_of(list(found.found()))]
        assert back == [(one.source, Counter(one.points)) for one in images]

    @EXAMPLES
    @given(st.lists(segmentations(), min_size=1, max_size=2), st.sampled_from([kinds.MASKS, kinds.OBJECTS]))
    def test_masks_in_coco(self, found, wanted):
        images = [image(n, one.segments) for n, one in enumerate(found)]
        back = read_coco(written(write_coco, images, labels=LABELS), wanted=wanted)
        assert parts_of(list(back.found())) == [(one.source, list(one.masks)) for one in images]

    @EXAMPLES
    @given(st.data(), st.booleans(), st.none() | st.just(0.75))
    def test_masks_as_pngs(self, data, of_objects, confidence):
        given_ = data.draw(st.lists(segmentations(of_objects=of_objects), min_size=1, max_size=2))
        images = [image(n, one.segments, confidence) for n, one in enumerate(given_)]
        archive = ArchiveReader(written(write_masks, images, labels=LABELS, of_objects=of_objects))
        assert list(in_archive(archive)) == ["masks"]
        opened = MaskArchive(archive, wanted=kinds.OBJECTS if of_objects else kinds.MASKS)
        back = list(opened.found())
        assert opened.labels == tuple(LABELS) and {one.confidence for one in back} == {confidence}
        assert [(uri, Counter(parts)) for uri, parts in parts_of(back)] == [
            (one.source, Counter(one.masks)) for one in images
        ]

    @EXAMPLES
    @given(st.lists(st.lists(st.builds(Tag, labels, sure), max_size=3, unique_by=lambda t: t.label), min_size=1))
    def test_several_classes_in_a_table(self, found):
        images = [image(n, one) for n, one in enumerate(found)]
        out = written(class_tables.write_csv, images, several=True, texts=False)
        assert of_file(out) == "csv"
        back = list(class_tables.find_csv(out))
        assert parts_of(back) == [(one.source, list(one.tags)) for one in images]
        assert all(one.labeled for one in back)


def _has_area(outline):
    xs, ys = np.asarray(outline.vertices).T
    return abs(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1))) > 1e-9


texts = st.text(st.sampled_from("ab é猫🐝.,#-\t\n\r\u2028\x1c=|'\"\\"), min_size=1, max_size=30).filter(str.strip)


@st.composite
def texts_with_spans(draw):
    text = draw(texts)
    edges = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(edges, edges), max_size=4))
    spans = [Span(draw(labels), min(pair), max(pair), draw(sure)) for pair in pairs if pair[0] != pair[1]]
    return LabeledText(text, tuple(spans), source=draw(st.sampled_from(["", "s3://b/a.txt"])), name="a b.txt")


class TestTexts:
    @EXAMPLES
    @given(st.lists(texts_with_spans(), min_size=1, max_size=3))
    def test_spans_as_json_lines(self, given_):
        out = written(text_lines.write_jsonl, given_, wanted=kinds.SPANS)
        assert of_file(out) == "jsonl"
        found = list(text_lines.find_jsonl(out, wanted=kinds.SPANS))
        assert [(one.text, one.names[0]) for one in found] == [(one.text, one.name) for one in given_]
        assert [parts for _, parts in parts_of(found)] == [list(one.spans) for one in given_]

    @settings(max_examples=150, deadline=None)
    @given(st.lists(texts_with_spans(), min_size=1, max_size=3))
    def test_spans_in_conll_as_far_as_tags_can_say_them(self, given_):
        kept = [replace(one, spans=conll.kept(one)[0]) for one in given_]
        out = written(conll.write_conll, kept)
        found = list(conll.find_conll(out))
        assert [(one.text, one.names[0]) for one in found] == [(one.text, one.name) for one in given_]
        plain = [[replace(span, confidence=None) for span in one.spans] for one in kept]
        assert [parts for _, parts in parts_of(found)] == plain

    def test_what_tags_cannot_say_is_said(self):
        nested = LabeledText(
            "New York Times ", (Span("a", 0, 14), Span("b", 4, 8), Span("c", 14, 15), Span("d", 8, 14))
        )
        kept, reasons = conll.kept(nested)
        assert kept == (Span("a", 0, 14),) and len(reasons) == 3
        only, said = conll.kept(LabeledText("New York ", (Span("d", 3, 9),)))
        assert only == (Span("d", 4, 8),) and "blanks" in said[0]

    @EXAMPLES
    @given(st.lists(st.tuples(texts, labels, sure), min_size=1, max_size=3))
    def test_a_class_in_a_table_and_as_json_lines(self, given_):
        objects = [LabeledText(text, tags=(Tag(label, one),), name="=n.txt") for text, label, one in given_]
        table = written(class_tables.write_csv, objects, several=False, texts=True)
        lines = written(text_lines.write_jsonl, objects, wanted=kinds.CLASSES)
        assert (of_file(table), of_file(lines)) == ("csv", "jsonl")
        for found in (class_tables.find_csv(table), text_lines.find_jsonl(lines, wanted=kinds.CLASSES)):
            back = list(found)
            assert [(one.text, one.names[0]) for one in back] == [(one.text, one.name) for one in objects]
            assert [parts for _, parts in parts_of(back)] == [list(one.tags) for one in objects]

    def test_other_tools_lines_and_tags_are_read(self):
        lines = [
            {"text": "Ann ate", "label": [[0, 3, "P"]]},  # doccano
            {"text": "Ann ate", "entities": [{"start_offset": 0, "end_offset": 3, "label": "P"}]},
            {"text": "Ann ate", "spans": [{"start": 0, "end": 3, "label": "P"}]},  # Prodigy
        ]
        stream = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
        found = text_lines.find_jsonl(stream, wanted=kinds.SPANS)
        assert [parts for _, parts in parts_of(list(found))] == [[Span("P", 0, 3)]] * 3
        columns = b"-DOCSTART- -X- O O\n\nAnn NNP I-PER\nLee NNP I-PER\n\n"
        columns += b"Los NNP B-LOC\nNew NNP B-LOC\nYork NNP E-LOC\nx y O\n"
        assert of_file(io.BytesIO(columns)) == "conll"
        one, two = conll.find_conll(io.BytesIO(columns))
        assert (one.text, [p.part for p in one.parts]) == ("Ann Lee", [Span("PER", 0, 7)])
        assert (two.text, [p.part for p in two.parts]) == ("Los New York x", [Span("LOC", 0, 3), Span("LOC", 4, 12)])


class TestBadInput:
    def test_each_bad_line_is_named_and_the_others_are_read(self):
        table = io.BytesIO(b"file;label;confidence\na.png;bee;2\nb.png;bee;0.5\n;bee;\nc.png;;\n")
        bad, good, nameless, unlabeled = class_tables.find_csv(table)
        assert (bad.where, "between 0 and 1" in bad.reason) == ("line 2", True)
        assert [part.part for part in good.parts] == [Tag("bee", 0.5)]
        assert "names no file" in nameless.reason and not unlabeled.labeled
        lines = io.BytesIO(b'{"text": "a b", "entities": [[0, 1, "x"], [0, "1", "x"]]}\nnothing\n{"text": 5}\n')
        first, *rest = text_lines.find_jsonl(lines, wanted=kinds.SPANS, name="l.jsonl ")
        assert len(first.parts) == 1 and first.problems[0].where == "l.jsonl line 1 entities[1]"
        assert [one.where for one in rest] == ["l.jsonl line 2", "l.jsonl line 3"]
        block = io.BytesIO(b'a B-x\nalone\nb Q\n\n# text = "a b"\nc O\n')
        found, broken = conll.find_conll(block)
        assert [one.where for one in found.problems] == ["line 2", "line 3"] and len(found.parts) == 1
        assert broken.where == "line 6" and "does not follow" in broken.reason

    @pytest.mark.parametrize("head", [b"a,b\n1,2\n", b"file,size\nx,1\n", b"label\nbee\n", b"", b"\x00\x01"])
    def test_a_table_without_its_columns_is_none(self, head):
        with pytest.raises(ValueError, match="is neither a zip"):
            of_file(io.BytesIO(head))

    def test_an_outline_that_would_take_for_ever_is_refused(self):
        zigzag = [(0, 0) if n % 2 else (9_000, 9_000) for n in range(2_000)]
        with pytest.raises(ValueError, match="simplify it"):
            rasters.mask_of([zigzag], (9_000, 9_000))


class TestMasks:
    @EXAMPLES
    @given(st.lists(st.lists(places, min_size=3, max_size=6), min_size=1, max_size=2))
    def test_an_outline_covers_the_pixels_whose_centres_it_has(self, rings):
        found = masks.decode_rle({"size": [40, 60], "counts": rasters.mask_of(rings, (60, 40))})
        expected = np.zeros((40, 60), bool)
        y, x = np.mgrid[0:40, 0:60] + 0.5
        for ring in rings:
            inside = np.zeros((40, 60), bool)
            for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
                if x1 != x2:
                    crosses = (x1 <= x) != (x2 <= x)
                    inside ^= crosses & (y1 + (x - x1) / (x2 - x1) * (y2 - y1) <= y)
            expected |= inside
        assert (found == expected).all()

    def test_a_cut_out_lies_where_it_is_put(self):
        cut = np.array([[1, 1, 0], [1, 1, 1]], np.uint8)
        whole = np.zeros((4, 5), np.uint8)
        whole[1:3, 2:5] = cut
        assert rasters.mask_at(cut, 2, 1, (5, 4)) == masks.encode_rle(whole)["counts"]
        assert rasters.mask_at(np.ones((4, 5), np.uint8), 0, 0, (5, 4)) == masks.encode_rle(np.ones((4, 5)))["counts"]
        with pytest.raises(ValueError, match="reaches out"):
            rasters.mask_at(cut, 3, 1, (5, 4))

    def test_of_masks_that_share_pixels_the_later_one_has_them(self):
        one, other = np.zeros((4, 4)), np.zeros((4, 4))
        one[:, :3], other[:, 2:] = 1, 1
        given_ = Segmentation(
            (4, 4), tuple(Segment(n, masks.encode_rle(m)["counts"]) for n, m in (("a", one), ("b", other)))
        )
        found, shared = segments.stacked(given_)
        assert shared == 4 and [segments.area(part) for part in found.segments] == [8, 8]
        assert segments.stacked(found) == (found, 0)

    @EXAMPLES
    @given(st.lists(st.booleans(), min_size=35, max_size=35))
    def test_brushes_are_unpacked(self, bits):
        mask = np.asarray(bits).reshape(5, 7)
        flat = np.repeat(mask.ravel().astype(np.uint8) * 255, 4)
        assert brush.counts_of(_packed(flat), (7, 5)) == masks.encode_rle(mask)["counts"]

    @pytest.mark.parametrize("packed", [[], [0] * 8, [300], ["a"], [0, 0, 0, 140, 0]])
    def test_damaged_brushes_are_refused(self, packed):
        with pytest.raises(ValueError, match=r"cut off|values, expected|list of numbers"):
            brush.counts_of(packed, (7, 5))


def _packed(values):
    """The bytes of rle-pack: repeated values with 8 bits of length, others one by one with 3 bits."""
    bits = [f"{len(values):032b}", f"{7:05b}", *(f"{n - 1:04b}" for n in (3, 4, 8, 16))]
    at = 0
    while at < len(values):
        run = 1
        while at + run < len(values) and run < 256 and values[at + run] == values[at]:
            run += 1
        if run > 2:
            bits += ["1", "10", f"{run - 1:08b}", f"{values[at]:08b}"]
        else:
            bits += ["0", "00", f"{run - 1:03b}", *(f"{value:08b}" for value in values[at : at + run])]
        at += run
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[n : n + 8], 2) for n in range(0, len(text), 8)]
