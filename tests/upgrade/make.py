"""`make release-dump`: a small installation of this version with a job in its middle, kept for tests of later versions.

Writes tests/upgrade/waggle-<version>.tar.xz: a backup (docs/backup.md) of database and store. Nothing in it is secret:
its people are made up, and nobody can sign in.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
KEY = "the-key-of-installations-kept-for-tests-of-upgrades"
"""Their WAGGLE_SECRET_KEY: a backup is restored with the key that it was made with."""
MOST_BYTES = 200_000
PICTURES = 6
OVER_PICTURES = 2
WORKERS = 3
FILL = "import django; django.setup(); from tests.upgrade import make; make.fill()"


def main() -> None:
    """Make it. Raises SystemExit when it is too large to be kept with the code."""
    from marketplace.database import start_embedded, stop_embedded
    from tests.journeys.system import System

    with tempfile.TemporaryDirectory(prefix="waggle-release-", ignore_cleanup_errors=True) as name:
        # PostgreSQL's user is another one.
        Path(name).chmod(0o755)
        server = Path(name) / "postgres"
        try:
            system = System(Path(name), database=start_embedded(server), WAGGLE_SECRET_KEY=KEY)
            system.run("manage.py", "bootstrap", "--verbosity", "0")
            system.run("-c", FILL)
            system.run("manage.py", "backup", str(Path(name) / "backup"))
        finally:
            stop_embedded(server)
        print(keep(Path(name) / "backup"))


def fill() -> None:
    """Make a job that is over and one that is half done, in the installation of this process."""
    from labeling import background
    from labeling.services.jobs import creation
    from labeling.services.queue import leases
    from tests import builders
    from tests.labeling import stories

    account, crowd = stories.an_account(funds="20"), stories.a_crowd(WORKERS)
    team = builders.a_team(account=account, workers=crowd, name="team")
    jobs = []
    for name, count in (("over", OVER_PICTURES), ("half", PICTURES)):
        folder = builders.tiny_images(count, account=account)[0].rpartition("/")[0]
        dataset = builders.a_dataset(account=account, uri=folder, name=name)
        design = stories.a_design(account, team, input_manifest_uri=dataset.manifest_uri)
        design |= {"name": name, "task_type": "ImageMultiClass", "workers_per_object": WORKERS}
        job = creation.create_job(**design)
        background.advance_queue(job.queue_id)
        jobs.append(job)
    over, half = jobs
    said = {"crowd-image-classifier": {"label": "bee"}}
    for worker in crowd:
        stories.work(worker, over, said)
        stories.work(worker, half, said, most=2)
        # One more, which they hold.
        stories.assignments.claim(worker=worker, queue=half.queue)
    background.advance_queue(over.queue_id)
    for job, status in ((over, "Completed"), (half, "InProgress")):
        job.refresh_from_db()
        assert job.status == status, (job.name, job.status, job.failure_reason)
    leases.return_held(worker_id=crowd[0].pk)


def keep(backup: Path) -> str:
    """Keep a folder with one backup; returns what was written. Raises SystemExit when it is too large."""
    (manifest,) = backup.glob("backups/*/manifest.json")
    target = FOLDER / f"waggle-{json.loads(manifest.read_text())['version']}.tar.xz"
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for part in sorted(backup.iterdir()):
            archive.add(part, part.name, filter=_anonymous)
    size = target.stat().st_size
    if size > MOST_BYTES:
        target.unlink()
        sys.exit(f"{target}: {size:,} bytes, at most {MOST_BYTES:,} are kept with the code")
    return f"{target}: {size:,} bytes"


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
