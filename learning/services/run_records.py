"""What is kept of a run of a program in the store: its log, and the samples of a training. Knows no request.

The supervisor writes it (programs/recording.py), while the run goes on and at its end; everybody else reads it here,
wherever the supervisor runs.
"""

from django.conf import settings

from learning.models import ProgramRun, TrainingJob
from learning.samples import FOLDER, INDEX, MOST_BYTES, Samples
from marketplace import storage
from marketplace.errors import Invalid, NotFound

LOG, TAIL = "log.txt", "log-tail.txt"
TAIL_BYTES = 64 << 10
MOST_LINES_BYTES = 8 << 20
METRIC = '{"name": "'
"""How the lines begin by which programs repeat their metrics on stdout."""


def uri(run: ProgramRun, *names: str) -> str:
    """The address of something that is kept of a run, whose account is loaded."""
    kind = f"{run._meta.model_name}-{run.pk}"
    return storage.join(settings.STORE_URL, "runs", run.account.number, kind, *names)


def log_tail(run: ProgramRun) -> str:
    """The end of the log so far, without the lines that only repeat metrics; "" before there is any."""
    try:
        return storage.read(uri(run, TAIL), limit=TAIL_BYTES).decode(errors="replace")
    except NotFound:
        return ""


def log_lines(run: ProgramRun) -> list[str]:
    """The lines of the log: all, or the last MOST_LINES_BYTES of them, once the program has ended; its end before."""
    whole = uri(run, LOG)
    if not storage.exists(whole):
        return log_tail(run).splitlines()
    with storage.open(whole, offset=max(0, storage.size(whole) - MOST_LINES_BYTES)) as stream:
        text = stream.read(MOST_LINES_BYTES).decode(errors="replace")
    return [line for line in text.splitlines() if not line.startswith(METRIC)]


def log_uri(run: ProgramRun) -> str:
    """The address of the whole log. Raises NotFound until a program of the run has ended."""
    found = uri(run, LOG)
    if not storage.exists(found):
        raise NotFound("the whole log is there once the program has ended")
    return found


def samples(training: TrainingJob) -> Samples:
    """The sample predictions so far; empty without any. Raises Invalid when the program left something else."""
    try:
        return Samples.from_json(storage.read(uri(training, FOLDER, INDEX), limit=MOST_BYTES))
    except NotFound:
        return Samples()
    except ValueError as error:
        raise Invalid(f"the samples of {training.name} cannot be read: {error}") from None


def sample_image_uri(training: TrainingJob, number: int) -> str:
    """The address of the picture of a sample. Raises NotFound for a number without one."""
    images = samples(training).images
    if not 0 <= number < len(images):
        raise NotFound(f"the training has no sample {number}; it has {len(images)}")
    return uri(training, FOLDER, images[number].file)
