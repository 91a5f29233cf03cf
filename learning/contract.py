"""The job folder a program works in (SageMaker's /opt/ml layout), as paths and dataclasses.

Both sides of the process boundary read this file: the supervisor that fills the folder and the program that
works in it. It must not know torch, Django, or how either side does its work.
"""

import dataclasses
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import orjson

EXIT_DONE = 0  # finished, or stopped on request (then output/stopped is there)
EXIT_FAILED = 1  # output/failure says why; starting again resumes from the last checkpoint
EXIT_BAD_INPUT = 2  # output/failure says why; starting again without a change fails again

TRAIN, VALIDATION, MODEL, PREDICT = "train", "validation", "model", "predict"  # channel names
OBJECT_ID_KEY = "waggle-object-id"
MODEL_FILES = ("config.json", "model.onnx", "model.safetensors")
FOREIGN = "onnx"  # architecture of detectors trained elsewhere: config.json says what they read and answer
CONFIG_FORMAT = 2
READ_FORMATS = (1, 2)  # 1: other default boxes at sizes that are not the architecture's own (vision/ssd_networks.py)
DEFAULT_IMAGE_SIZE = {
    "compact": 320, "ssdlite320_mobilenet_v3_large": 320, "ssd300_vgg16": 300, "ssd300_resnet50": 300,
}  # fmt: skip
LEAST_IMAGE_SIZE = 64
ARCHITECTURES = tuple(DEFAULT_IMAGE_SIZE)  # of detectors
IMAGE_CLASSIFIERS = ("resnet18", "mobilenet_v3_small", "mobilenet_v3_large", "resnet50")
SEGMENTERS = ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50")
TEXT_CLASSIFIERS = ("tfidf_logistic_regression",)
EVERY_ARCHITECTURE = (*ARCHITECTURES, *IMAGE_CLASSIFIERS, *SEGMENTERS, *TEXT_CLASSIFIERS)


class BadInput(ValueError):
    """What the requester gave cannot be worked with; the message says what and where."""


@dataclass(frozen=True)
class JobFolder:
    """Where everything lies in one job's folder."""

    root: Path

    @property
    def hyperparameters(self) -> Path:
        return self.root / "input/config/hyperparameters.json"

    @property
    def input_data_config(self) -> Path:
        return self.root / "input/config/inputdataconfig.json"

    def channel(self, name: str) -> Path:
        return self.root / "input/data" / name

    def manifest(self, name: str) -> Path:
        return self.channel(name) / "manifest.jsonl"

    def notes(self, name: str) -> Path:
        """What whoever filled the channel has to say about it, for the log; there may be none."""
        return self.channel(name) / "notes.txt"

    def addresses(self, name: str) -> Path:
        """Where the images of a streamed channel are read; there is none for a channel whose images are files."""
        return self.channel(name) / "addresses.jsonl"

    @property
    def split(self) -> Path:
        """Which lines of the train channel a run without a validation channel has set aside for it."""
        return self.root / "split.json"

    @property
    def stream_cache(self) -> Path:
        return self.root / "stream-cache"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def metrics(self) -> Path:
        return self.output / "metrics.jsonl"

    @property
    def predictions(self) -> Path:
        return self.output / "predictions.jsonl"

    @property
    def failure(self) -> Path:
        return self.output / "failure"

    @property
    def stopped(self) -> Path:
        return self.output / "stopped"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    def prepare(self, *, hyperparameters: Mapping[str, Any], channels: Mapping[str, Mapping[str, Any]]) -> None:
        """Make the folders and write both configuration files (the supervisor's half of the contract)."""
        for name in channels:
            self.channel(name).mkdir(parents=True, exist_ok=True)
        for folder in (self.hyperparameters.parent, self.model, self.output, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        as_text = {name: _to_wire(value) for name, value in hyperparameters.items()}
        write_atomically(self.hyperparameters, json.dumps(as_text, indent=1, sort_keys=True))
        write_atomically(self.input_data_config, json.dumps(channels, indent=1, sort_keys=True))

    def read_hyperparameters(self) -> dict[str, str]:
        """The hyperparameters as they are on the wire; raises BadInput when missing or not text to text."""
        found = _read_object(self.hyperparameters)
        for name, value in found.items():
            if not isinstance(value, str):
                kind = type(value).__name__
                raise BadInput(f"hyperparameters.json: {name!r} must be a string, found {kind}")
        return found

    def read_channels(self) -> dict[str, dict[str, Any]]:
        """Channel name -> its configuration; raises BadInput when the file is missing or unreadable."""
        return _read_object(self.input_data_config)

    def start(self) -> None:
        """Remove the outcome of an earlier run (the program's first step)."""
        for folder in (self.model, self.output, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        self.failure.unlink(missing_ok=True)
        self.stopped.unlink(missing_ok=True)

    def write_failure(self, reason: str) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        write_atomically(self.failure, reason.strip() + "\n")

    def read_failure(self) -> str | None:
        return self.failure.read_text(encoding="utf-8").strip() if self.failure.exists() else None

    def write_stopped(self, *, step: int, epoch: int) -> None:
        note = {"reason": "SIGTERM", "step": step, "epoch": epoch, "time": now_iso()}
        write_atomically(self.stopped, json.dumps(note) + "\n")


def now_iso() -> str:
    """The time now in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside the target and rename, so that a reader or a kill -9 never sees half a file."""
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def _to_wire(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{path.name} is missing in {path.parent}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path.name}: expected an object, found {type(found).__name__}")
    return found


# --- metrics -----------------------------------------------------


@dataclass(frozen=True)
class Metric:
    """One line of output/metrics.jsonl: train:loss, train:progress (0..1), validation:mAP, ..."""

    name: str
    value: float
    step: int
    epoch: int
    time: str


class MetricWriter:
    """Appends metrics to output/metrics.jsonl, each line flushed at once, and says the same on a stream.

    Threads may share one.
    """

    def __init__(self, folder: JobFolder, echo: TextIO | None) -> None:
        folder.output.mkdir(parents=True, exist_ok=True)
        cut_half_line(folder.metrics)
        self._file = folder.metrics.open("a", encoding="utf-8")
        self._echo = echo
        self._lock = threading.Lock()

    def write(self, name: str, value: float, *, step: int, epoch: int) -> None:
        """A value that is not finite is left out: JSON has no word for it and no chart could draw it."""
        if not math.isfinite(value):
            return
        metric = Metric(name, round(float(value), 6), step, epoch, now_iso())
        line = json.dumps(dataclasses.asdict(metric)) + "\n"
        with self._lock:
            for stream in (self._file, self._echo):
                if stream is not None:
                    stream.write(line)
                    stream.flush()

    def close(self) -> None:
        self._file.close()


def read_metrics(path: Path, *, offset: int = 0) -> tuple[list[Metric], int]:
    """Complete lines from a byte offset on, and the next offset (call again to follow a running program)."""
    if not path.exists():
        return [], offset
    with path.open("rb") as stream:
        stream.seek(offset)
        data = stream.read()
    whole = data[: data.rfind(b"\n") + 1]
    return [Metric(**json.loads(line)) for line in whole.splitlines()], offset + len(whole)


def cut_half_line(path: Path) -> int:
    """Drop what follows the last newline (after a kill -9); returns the number of whole lines."""
    if not path.exists():
        return 0
    lines, end = 0, 0
    with path.open("r+b") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                lines, end = lines + 1, end + len(line)
        stream.truncate(end)
    return lines


# --- predictions -------------------------------------------------


@dataclass(frozen=True)
class PredictedBox:
    """A box in displayed pixels of the original image (EXIF orientation applied), top-left origin."""

    class_id: int
    left: float
    top: float
    width: float
    height: float
    score: float


@dataclass(frozen=True)
class PredictedClass:
    """How likely an object is of a class; of several classes that an object may have each has a chance of its own."""

    class_id: int
    score: float


@dataclass(frozen=True)
class PredictedSegment:
    """The pixels of a class, in displayed pixels of the original image: `counts` are COCO's compressed run lengths.

    `score` is the expected IoU of these pixels with those that are of the class, by the chances of all pixels.
    """

    class_id: int
    counts: str
    score: float


@dataclass(frozen=True)
class Prediction:
    """One line of output/predictions.jsonl; `error`: why the image, or the text, could not be read.

    Detectors fill `boxes`, classifiers `classes` (every class), segmenters `segments`. A text has no `image_size`.
    `mirrored`: where it was asked for, the boxes found in the mirror image, at their places in the image.
    """

    index: int
    object_id: int | None
    source_ref: str
    image_size: dict[str, int] | None
    boxes: list[PredictedBox]
    embedding: list[float]
    error: str | None = None
    classes: list[PredictedClass] = dataclasses.field(default_factory=list)
    segments: list[PredictedSegment] = dataclasses.field(default_factory=list)
    mirrored: list[PredictedBox] | None = None

    def to_line(self) -> str:
        """The line, with its end; asdict would take longer than a network. Raises ValueError for NaN and infinity."""
        body = {name: value for name, value in vars(self).items() if name not in _LEFT_OUT or value != _LEFT_OUT[name]}
        body[OBJECT_ID_KEY], body["source-ref"] = body.pop("object_id"), body.pop("source_ref")
        if not all(map(math.isfinite, self._numbers())):
            raise ValueError(f"the prediction of {self.source_ref!r} has a number that is not finite")
        return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n"

    def _numbers(self) -> Iterator[float]:  # a sum is infinite if one of its parts is
        yield from self.embedding
        yield from (b.left + b.top + b.width + b.height + b.score for b in (*self.boxes, *(self.mirrored or ())))
        yield from (one.score for one in self.classes)
        yield from (one.score for one in self.segments)

    @classmethod
    def from_line(cls, line: str | bytes) -> "Prediction":
        body = json.loads(line)
        body["object_id"], body["source_ref"] = body.pop(OBJECT_ID_KEY), body.pop("source-ref")
        for name, kind in (("boxes", PredictedBox), ("mirrored", PredictedBox), ("classes", PredictedClass)):
            body |= {name: [kind(**one) for one in body[name]]} if name in body else {}
        body["segments"] = [PredictedSegment(**one) for one in body.get("segments", ())]
        return cls(**body)


_LEFT_OUT: dict[str, Any] = {"classes": [], "segments": [], "mirrored": None}  # where it would say nothing


def read_predictions(path: Path) -> Iterator[Prediction]:
    """Complete lines of output/predictions.jsonl, streamed, in manifest order."""
    with path.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                yield Prediction.from_line(line)


# --- the model's own description ---------------------------------


def model_files(architecture: str) -> tuple[str, ...]:
    """The files of a model of this architecture: there are no weights to train on of one that was trained elsewhere,
    and no ONNX graph of those of texts, for no operator splits texts."""
    missing = {FOREIGN: "model.safetensors"} | dict.fromkeys(TEXT_CLASSIFIERS, "model.onnx")
    return tuple(name for name in MODEL_FILES if name != missing.get(architecture))


def files_of(folder: Path) -> tuple[str, ...]:
    """The files that a model in this folder has by its config.json; all there can be where that does not say."""
    try:
        return model_files(str(_read_object(folder / "config.json").get("architecture")))
    except BadInput:
        return MODEL_FILES


@dataclass(frozen=True)
class ModelConfig:
    """model/config.json: what is needed to use model.onnx or model.safetensors without their job."""

    architecture: str
    class_map: dict[str, str]  # class_id (text) -> name, in the order of the model's outputs
    image_size: int  # images are stretched to image_size x image_size, bilinear, RGB, uint8; 0: texts
    preprocessing: dict[str, Any]
    thresholds: dict[str, float]  # nms (IoU), score (least score a prediction keeps)
    hyperparameters: dict[str, Any]
    metrics: dict[str, float]
    format: int = CONFIG_FORMAT
    input: dict[str, Any] | None = None  # only of FOREIGN: which pixels the network reads
    output: dict[str, Any] | None = None  # only of FOREIGN: what its outputs mean

    @property
    def class_ids(self) -> list[int]:
        return [int(key) for key in self.class_map]

    @property
    def suppressed(self) -> bool:
        """Whether the network itself removes boxes that overlap others of their class."""
        return bool((self.output or {}).get("suppressed", False))

    @property
    def several(self) -> bool:
        """Whether an object may have several classes (or none)."""
        return bool(self.hyperparameters.get("multi_label", False))

    def write(self, folder: Path) -> None:
        write_atomically(folder / "config.json", json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "ModelConfig":
        """Raises BadInput when the file is missing, of another format, or not for a known architecture."""
        body = {"input": None, "output": None} | _read_object(folder / "config.json")
        if missing := {spec.name for spec in dataclasses.fields(cls)} - body.keys():
            raise BadInput(f"config.json: missing {', '.join(sorted(missing))}")
        if body["format"] not in READ_FORMATS or body["architecture"] not in (*EVERY_ARCHITECTURE, FOREIGN):
            raise BadInput(f"config.json: unsupported format {body['format']} of {body['architecture']!r}")
        return cls(**{spec.name: body[spec.name] for spec in dataclasses.fields(cls)})
