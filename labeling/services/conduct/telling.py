"""What people are told of findings: the worker of each that has an effect, of its end and of the answer to an appeal;
whoever answers appeals of those that are filed; operators of workers who agree too much.

Called in the transaction of the change. Which page shows it is for the front end to know.
"""

from labeling import subjects
from labeling.conduct.rules import Action
from labeling.models import ConductAppeal, ConductFinding, WorkQueue
from labeling.services.conduct.deadlines import to_file
from marketplace.models import NoticeKind, Role, Subject
from marketplace.services import notifications

EFFECTS = {
    Action.WARN: "A warning about your answers to {title}",
    Action.RETRAIN: "{title} is closed to you until you have read its instructions again",
    Action.PAUSE: "{title} is closed to you until {until}",
    Action.BLOCK: "{title} is closed to you",
    Action.BAN: "You are shown no work any more",
}
"""What workers are told follows from a finding; of the other actions they are told nothing."""


def found(finding: ConductFinding) -> None:
    """The worker is told what was found, what follows, and until when they may appeal. Nobody is told of a note."""
    action = Action(finding.action)
    if action not in EFFECTS:
        return
    until = "" if finding.until is None else f"{finding.until:%Y-%m-%d %H:%M} UTC"
    effect = EFFECTS[action].format(title=_title(finding), until=until)
    appeal = "" if hasattr(finding, "appeal") else f" You may appeal until {to_file(finding):%Y-%m-%d}."
    _tell_worker(finding, NoticeKind.FLAG, f"{effect}: {_reason(finding)}.{appeal}")


def taken_back(finding: ConductFinding, *, restores: bool) -> None:
    """The worker is told that a finding counts no more; `restores`: answers that it withdrew are accepted now."""
    if Action(finding.action) not in EFFECTS:
        return
    said = f"What was found in your answers to {_title(finding)} was taken back and counts no more: {_reason(finding)}."
    paid = " Answers that were withdrawn because of it are accepted and paid." if restores else ""
    _tell_worker(finding, NoticeKind.FLAG, said + paid)


def appeal_filed(appeal: ConductAppeal) -> None:
    """Whoever answers the appeal is told of it and the worker by when; operators answer those against bans."""
    finding = appeal.finding
    who, due = f"Worker {finding.worker.public_id}", f"{appeal.due_at:%Y-%m-%d}"
    queue = None if finding.action == Action.BAN else finding.queue
    if queue is None:
        notifications.tell_operators(
            kind=NoticeKind.APPEAL,
            text=f"{who} appeals against a ban: {_reason(finding)}. The appeal waits for an operator.",
            subject=Subject(subjects.CONDUCT_FLAG, finding.pk),
        )
        _tell_worker(finding, NoticeKind.APPEAL, "Your appeal against the ban was filed. An operator answers it.")
        return
    notifications.tell_account(
        account=queue.account,
        kind=NoticeKind.APPEAL,
        text=f"{who} appeals against what was found in their answers to {queue.title}: {_reason(finding)}. "
        f"Unless you answer by {due}, the appeal is upheld.",
        subject=Subject(subjects.CONDUCT_APPEAL, appeal.pk),
        at_least=Role.ADMIN,
    )
    said = f"Your appeal about {queue.title} was filed. Unless it is answered by {due}, it is upheld."
    _tell_worker(finding, NoticeKind.APPEAL, said)


def appeal_answered(appeal: ConductAppeal) -> None:
    """The worker is told that an appeal was upheld or denied."""
    finding = appeal.finding
    about = "against the ban" if finding.action == Action.BAN else f"about {_title(finding)}"
    _tell_worker(finding, NoticeKind.APPEAL, f"Your appeal {about} was {appeal.state.lower()}: {appeal.answer}")


def colluding(queue: WorkQueue, pairs: int) -> None:
    """Operators are told that so many pairs of a queue's workers were noted who agree too much."""
    noted = "Two workers agree" if pairs == 1 else f"{pairs} pairs of workers agree"
    notifications.tell_operators(
        kind=NoticeKind.FLAG,
        text=f"{noted} far more than their accuracies allow: {queue.title}, of {queue.account.name}.",
        subject=Subject(subjects.CONDUCT_FLAG, queue.pk),
    )


def _tell_worker(finding: ConductFinding, kind: NoticeKind, text: str) -> None:
    notifications.tell(
        user=finding.worker.user,
        kind=kind,
        text=text,
        account=finding.queue.account if finding.queue is not None else None,
        subject=Subject(subjects.CONDUCT_FINDING, finding.pk),
    )


def _title(finding: ConductFinding) -> str:
    return finding.queue.title if finding.queue is not None else "several jobs"


def _reason(finding: ConductFinding) -> str:
    return finding.reason.rstrip(". ")
