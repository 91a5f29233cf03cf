"""Ingesting and writing manifests: a large manifest into a job, then its output manifest and COCO export.

Every measurement runs in a process of its own, whose peak memory is reported; sizes from 10,000 to 1,000,000 lines
show whether memory stays constant. Run: `make bench NAME=manifest_io` (WAGGLE_BENCH_SIZES=10000,100000 for less).
"""

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import orjson

from benchmarks.options import option
from benchmarks.report import report
from marketplace import settings_declared as declared

SIZES = [int(n) for n in option(declared.BENCH_SIZES, earlier="MANIFEST_IO_SIZES")]
BOXES = 3


def name(size: int) -> str:
    """The size in the names of figures: 10k, 100k, 1m."""
    return f"{size // 1_000_000}m" if size >= 1_000_000 else f"{size // 1000}k"


def write_input(path: Path, size: int) -> None:
    """A manifest of `size` lines with some metadata of the requester's own."""
    with path.open("wb") as out:
        for i in range(size):
            line = {"source-ref": f"s3://meadow/images/{i:07d}.jpg", "camera": f"c{i % 7}", "split": "train"}
            out.write(orjson.dumps(line) + b"\n")


def lines(path: Path) -> int:
    """The number of lines in a file."""
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def setup_django() -> None:
    """Set up Django in this process."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    django.setup()


def make_job(size: int, manifest: Path) -> int:
    """A job in Initializing whose input is the manifest, which is not loaded yet."""
    from labeling.models import LabelingJob
    from labeling.services.jobs.owner import KIND
    from labeling.services.queue import queues
    from marketplace.models import User
    from marketplace.services import accounts, workteams

    owner = User.objects.create(username=f"io{size}-{time.time_ns()}", email=f"io{time.time_ns()}@example.org")
    account = accounts.create_account(name="I/O", owner=owner)
    team = workteams.create_team(account=account, name="team", description="", by="benchmark")
    queue = queues.create_queue(
        account=account,
        owner_kind=KIND,
        workteam=team,
        task_type="BoundingBox",
        labels=["bee", "wasp"],
        title="t",
        description="d",
    )
    job = LabelingJob.objects.create(
        account=account,
        queue=queue,
        name=f"io-{size}",
        reference_code=f"io{time.time_ns()}",
        label_attribute_name="boxes",
        input_manifest_uri=manifest.as_uri(),
        output_uri=(manifest.parent / "out").as_uri(),
        selection={"kind": "full"},
    )
    return int(job.pk)


def label_all(job_id: int) -> None:
    """Give every object a label of three boxes, written directly to the tables."""
    from django.db import connection

    value = {
        "boxes": [
            {"left": 10 + 40 * b, "top": 20, "width": 33.25, "height": 41.5, "label": "bee", "confidence": 0.9}
            for b in range(BOXES)
        ]
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_label (data_object_id, revision, source, algorithm, model_name, confidence, value, "
            "explanation, created_at) SELECT id, 1, 'human', 'boxes/1', '', 0.9, %s, '{}', now() "
            "FROM labeling_dataobject WHERE job_id = %s",
            [json.dumps(value), job_id],
        )
        cursor.execute(
            "UPDATE labeling_dataobject o SET label_id = l.id, state = 'HumanLabeled', width = 640, height = 480, "
            "depth = 3 FROM labeling_label l WHERE l.data_object_id = o.id AND o.job_id = %s",
            [job_id],
        )
        cursor.execute("ANALYZE labeling_dataobject, labeling_label, labeling_objectline")


def measured(step: str, job_id: int) -> dict[str, float]:
    """Run one step in this process; returns seconds, peak MB, and MB above those of the imports."""
    setup_django()
    from labeling.formats.interchange.coco import write_coco
    from labeling.models import DataObject, Export, LabelingJob
    from labeling.services.intake import loading
    from labeling.services.output import exports, manifests

    job = LabelingJob.objects.select_related("account", "queue__workteam", "dataset").get(pk=job_id)
    done = 0
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    if step == "import":
        loading.load_objects(job)
    elif step == "manifest":
        done = manifests.write_manifest(job)
    else:
        work = exports._Work(Export.objects.create(job=job, kind="coco"))
        with tempfile.TemporaryFile() as out:
            done = write_coco(
                work._images(), io.BufferedWriter(out.raw if hasattr(out, "raw") else out), labels=job.labels
            )
    seconds = time.perf_counter() - start
    done = DataObject.objects.filter(job=job).count() if step == "import" else done
    if done != (expected := lines(Path(unquote(urlsplit(job.input_manifest_uri).path)))):
        raise RuntimeError(f"{step}: {done} objects, {expected} expected")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"s": round(seconds, 2), "peak_mb": round(peak, 1), "grown_mb": round(peak - base, 1)}


def in_child(step: str, job_id: int) -> dict[str, float]:
    """The measurement of one step, in a new process."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.manifest_io", step, str(job_id)], capture_output=True, text=True
    )
    if run.returncode:
        raise RuntimeError(f"{step} of job {job_id}: {run.stderr[-2000:]}")
    return dict(json.loads(run.stdout.strip().splitlines()[-1]))


def main() -> None:
    """All sizes, all steps."""
    from marketplace.database import start_embedded, stop_embedded

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="manifest-io-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        os.environ |= {
            "WAGGLE_VAR": str(root / "var"),
            "WAGGLE_STORE_FILE_ROOTS": str(root),
            "WAGGLE_S3_INPUT_BUCKETS": "meadow",
            "WAGGLE_DATABASE_URL": start_embedded(root / "postgres"),
        }
        setup_django()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        try:
            for size in SIZES:
                manifest = root / f"{size}.manifest"
                write_input(manifest, size)
                job_id = make_job(size, manifest)
                for step in ("import", "manifest", "coco"):
                    if step == "manifest":
                        label_all(job_id)
                    for key, value in in_child(step, job_id).items():
                        figures[f"{step}_{key}_{name(size)}"] = value
                    print(step, name(size), {k: v for k, v in figures.items() if k.endswith(name(size))}, flush=True)
        finally:
            stop_embedded(root / "postgres")
    report("manifest_io", figures)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
