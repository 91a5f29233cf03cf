"""What travels between the learner and a node of a cluster: a run's folder in tar archives, and the order beside them.

Both sides read this file. It must not know Django, the store, or the cluster.
"""

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from learning.contract import JobFolder

ORDER_URL = "WAGGLE_NODE_ORDER"
"""The variable by which a program on a node learns where its order is."""
ORDER, INPUT, STATE, LIVE, RESULT = "order.json", "input.tar", "state.tar", "live.tar.gz", "result.tar"
BEGIN = "--- the program starts ---"
"""The line of a job's log before which it is the cluster's own."""
EXIT, ROOT = "exit", "root"
"""The members of RESULT that have the exit status of the program, and where its folder was."""
LOG = "log.txt"
PIECES = "pieces"
"""Of a run that is divided into several jobs: the folder of their results, at the learner."""
_LARGE = frozenset({"predictions.jsonl", LOG})


@dataclass
class Order:
    """What a node is to do; the learner writes it, renews its links, and asks in it for the end.

    `arguments`: of the Python interpreter, before the folder. `root`: the run's folder at the learner. `links`: HTTP
    addresses by which ORDER and INPUT are read (and `earlier`, the STATE of an earlier start), and LIVE, STATE and
    RESULT are written. `serving`: options of a program that serves, None for one that ends. `nodes`: how many run the
    program together, of which each has what it `needs`.
    """

    arguments: list[str]
    root: str
    links: dict[str, str]
    niceness: int = 0
    threads: int = 0
    inherited: list[str] = field(default_factory=list)
    stop: bool = False
    serving: dict[str, Any] | None = None
    nodes: int = 1
    needs: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Order":
        return cls(**json.loads(text))


Wanted = Callable[[Path], bool]


def is_input(path: Path) -> bool:
    """Whether a file of the folder (a relative path) goes to the node when a program starts."""
    return path.parts[0] not in ("output", "stream-cache", PIECES) and not _is_unfinished(path)


def is_state(path: Path) -> bool:
    """Whether a file is needed to go on with the program on another node."""
    return (is_progress(path) or path.name == "split.json" or is_live(path)) and not _is_unfinished(path)


def is_progress(path: Path) -> bool:
    """Whether a file says how far the program has got: a checkpoint, or predictions that have been made."""
    predicted = _is_shard(path) or path.parts == ("output", "predictions.jsonl")
    return (path.parts[0] == "checkpoints" or predicted) and not _is_unfinished(path)


def is_live(path: Path) -> bool:
    """Whether a file is looked at while the program runs."""
    large = path.name in _LARGE or _is_shard(path)
    return path.parts[0] == "output" and not large and not _is_unfinished(path)


def is_result(path: Path) -> bool:
    """Whether a file is what the program leaves at its end."""
    left = path.name != LOG and not _is_shard(path)
    return path.parts[0] in ("output", "model") and left and not _is_unfinished(path)


def _is_shard(path: Path) -> bool:
    # learning/serving/shards.py: joined into the predictions at the end.
    return path.parts[:2] == ("output", "shards")


def _is_unfinished(path: Path) -> bool:
    # learning.contract.write_atomically and the download of an image write beside their target.
    return path.name.startswith(".") or path.suffix in (".tmp", ".part")


def files(root: Path, wanted: Wanted) -> Iterator[tuple[Path, int, int]]:
    """(Relative path, size, time of change in ns) of every such file below `root`, in order."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if not wanted(name) or path.is_dir():
            continue
        try:
            found = path.stat()
        except FileNotFoundError:
            continue  # replaced or removed in this moment
        yield name, found.st_size, found.st_mtime_ns


def pack(
    root: Path, wanted: Wanted, out: BinaryIO, *, texts: Mapping[str, str | bytes] | None = None, gzip: bool = False
) -> None:
    """Write these files of `root` as an archive, and `texts` (name -> content) as further members."""
    with tarfile.open(fileobj=out, mode="w:gz" if gzip else "w") as archive:
        for name, _, _ in files(root, wanted):
            try:
                # Opened once: what is written meanwhile goes to another file, which is renamed over this one.
                with (root / name).open("rb") as stream:
                    archive.addfile(archive.gettarinfo(arcname=str(name), fileobj=stream), stream)
            except FileNotFoundError:
                continue
        for member, content in (texts or {}).items():
            _add_text(archive, member, content)


def _add_text(archive: tarfile.TarFile, name: str, content: str | bytes) -> None:
    info = tarfile.TarInfo(name)
    data = content.encode() if isinstance(content, str) else content
    info.size = len(data)
    archive.addfile(info, BytesIO(data))


def unpack(stream: BinaryIO, root: Path) -> dict[str, str]:
    """Write an archive's files below `root`; gives the texts among its members, EXIT and ROOT.

    Nothing is written outside of `root`, whatever the archive says: tarfile raises FilterError then.
    """
    texts = {}
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if member.name in (EXIT, ROOT):
                content = archive.extractfile(member)
                texts[member.name] = content.read().decode() if content is not None else ""
                continue
            target = root / member.name
            # Never half a file under its name: both sides read while the other sends.
            beside = target.with_name(f".{target.name}.part")
            placed = member.replace(name=str(Path(member.name).with_name(beside.name)), deep=False)
            archive.extract(placed, root, filter="data")
            beside.replace(target)
    return texts


def move_manifests(root: Path, earlier: str) -> None:
    """Let the manifests of a folder that came from `earlier` name the images where they lie now."""
    folder = JobFolder(root)
    for manifest in sorted((root / "input" / "data").glob("*/manifest.jsonl")):
        _rewrite(manifest, earlier, str(folder.root))


def move_predictions(root: Path, earlier: str, *, to: str = "") -> None:
    """Predictions below `root` that were made at `earlier` name the images as the manifests do at `to`, or `root`."""
    for path in (JobFolder(root).predictions, *sorted((root / "output" / "shards").glob("*.jsonl"))):
        if path.exists():
            _rewrite(path, earlier, to or str(root))


def _rewrite(path: Path, earlier: str, now: str) -> None:
    # As it stands inside a JSON text; with the slash, so that no other folder begins with it.
    before, after = (orjson.dumps(f"{one}/")[1:-1] for one in (earlier, now))
    if before == after:
        return
    beside = path.with_name(f".{path.name}.part")
    with path.open("rb") as lines, beside.open("wb") as out:
        for line in lines:
            out.write(line.replace(before, after))
    beside.replace(path)


def as_file(stream: Any) -> BinaryIO:
    """A response of urllib3 read as a file."""
    return cast(BinaryIO, stream)
