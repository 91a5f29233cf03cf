"""`manage.py demo` (`make demo`): the main job in front of the user's eyes, then a portal to explore."""

import json
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from frontend import automation
from frontend.demo import people, run, scenes, stack, summary
from frontend.demo.api import Api
from frontend.demo.crowd import Crowd
from frontend.demo.truth import Truth

SCENES = 300
SEED = 7


class Command(BaseCommand):
    """Starts the whole system, runs one automated labeling job with a simulated crowd, prints what came of it."""

    help = "Run the main job end to end on generated scenes, or on the images of a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which images, and whether to leave when done."""
        parser.add_argument("--images", type=Path, help="a folder with images/ and annotations.coco.json")
        parser.add_argument("--exit", action="store_true", help="leave when the job is done")
        parser.add_argument("--workers", type=int, default=12)
        parser.add_argument("--spammers", type=int, default=2)
        parser.add_argument("--train-seconds", type=int, default=150, help="the longest a training may take")
        parser.add_argument("--timeout", type=float, default=3600)

    def handle(self, *args: Any, **options: Any) -> None:
        """Set up, run, report, and stay until Ctrl-C."""
        folder = settings.VAR_DIR / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        images = options["images"] or self._scenes(folder / "scenes")
        truth = self._truth(images)
        name = f"demo-{images.resolve().name}".lower().replace("_", "-")[:50]
        call_command("bootstrap", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        passwords = folder / "passwords.json"
        crew = people.gather(worker_count=options["workers"], passwords=passwords)
        connections.close_all()
        url = settings.PUBLIC_URL
        try:
            with stack.running(url=f"{url}/health/", log=folder / "system.log") as process:
                self._logins(url, crew, passwords)
                api = Api(base_url=url, token=crew.requester_token)
                result = self._main_job(api, crew, truth, images, name, options)
                (folder / "summary.json").write_text(json.dumps(result, indent=2, default=str) + "\n")
                self.stdout.write("\n".join(["", *summary.lines(result)]))
                self.stdout.write(f"  written   {folder / 'summary.json'}")
                if not options["exit"]:
                    self.stdout.write(f"\nThe portal keeps running at {url} until Ctrl-C.")
                    process.wait()
        except KeyboardInterrupt:
            self.stdout.write("\nstopped")
        except stack.StackFailed as error:
            raise CommandError(str(error)) from error
        finally:
            people.dismiss(crew.workers)

    def _scenes(self, folder: Path) -> Path:
        if not (folder / "annotations.coco.json").exists():
            self.stdout.write(f"drawing {SCENES} scenes in {folder}")
            scenes.write_dataset(folder, count=SCENES, seed=SEED)
        return folder

    def _truth(self, images: Path) -> Truth:
        if not (images / "images").is_dir():
            raise CommandError(f"{images}: a folder images/ with the pictures is missing")
        path = images / "annotations.coco.json"
        if not path.exists():
            raise CommandError(f"{path} is missing: without the truth there is no simulated crowd; use the portal")
        try:
            return Truth(path)
        except ValueError as error:
            raise CommandError(str(error)) from error

    def _logins(self, url: str, crew: people.People, passwords: Path) -> None:
        self.stdout.write(f"\n{url}  (the passwords are in {passwords}, which only you can read)")
        for address in crew.logins:
            self.stdout.write(f"  {address}")
        if settings.LOCAL_S3:
            self.stdout.write(f"{settings.S3_ENDPOINT_URL}  (S3; `manage.py local_s3` prints its keys)")

    def _main_job(
        self, api: Api, crew: people.People, truth: Truth, images: Path, name: str, options: dict[str, Any]
    ) -> dict[str, Any]:
        stages = run.Stages()
        done = next((j for j in api.pages("/api/v1/labeling-jobs") if j["name"] == name), None)
        if done is not None and done["status"] in run.FINAL:
            self.stdout.write(f"the labeling job {name} was done by an earlier run")
            return summary.collect(api, api.get(f"/api/v1/labeling-jobs/{done['id']}"), truth, self._earlier_seconds())
        crowd = Crowd(
            base_url=settings.PUBLIC_URL,
            tokens=[member.token for member in crew.workers],
            truth=truth,
            spammers=options["spammers"],
            seed=SEED,
        )
        known = next((d for d in api.pages("/api/v1/datasets") if d["name"] == name), None)
        dataset = (
            known
            if known and known["status"] == "Completed"
            else run.make_dataset(api, name=name, images=images / "images", stages=stages, show=self._show_dataset)
        )
        design = run.job_design(
            name=name,
            dataset=dataset["id"],
            labels=truth.labels,
            workteam=crew.team.pk,
            automated=run.automated(len(truth.images), train_seconds=options["train_seconds"])
            if automation.installed()
            else {"enabled": False},
        )
        self._last = ""
        job = run.run_job(api, crowd, design, timeout=options["timeout"], show=self._show_job, stages=stages)
        stages.seconds["total"] = round(sum(stages.seconds.values()), 2)
        return summary.collect(api, job, truth, stages.seconds)

    def _earlier_seconds(self) -> dict[str, float]:
        path = settings.VAR_DIR / "demo" / "summary.json"
        return json.loads(path.read_text())["seconds"] if path.exists() else {}

    def _show_dataset(self, row: dict[str, Any]) -> None:
        self.stdout.write(f"data set: {row['status']}, {row['objects_total']} objects", ending="\n")

    def _show_job(self, row: dict[str, Any]) -> None:
        c = row["label_counters"]
        text = (
            f"{row['status']}: {c['HumanLabeled']} by people, {c['MachineLabeled']} by the machine, "
            f"{c['Unlabeled']} to do, ${row['money']['spent']} spent"
        )
        if text != self._last:
            self._last = text
            self.stdout.write(f"{time.strftime('%H:%M:%S')}  {text}")
            self.stdout.flush()
