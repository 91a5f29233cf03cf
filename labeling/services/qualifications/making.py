"""Makes qualification types, and tests out of objects whose label is known: those of a job, or of a labeled data set.

The questions are copies, so that neither the job nor the data set is needed afterwards.
"""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from labeling import task_types
from labeling.formats import manifest
from labeling.models import (
    DataObject,
    Dataset,
    LabelingJob,
    LabelSource,
    QualificationQuestion,
    QualificationTest,
)
from labeling.services import one_by_one, scope
from labeling.services.intake import datasets, inspection, label_files, loading, texts
from labeling.task_types.base import IMAGE, TEXT, TaskType
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, GrantedBy, QualificationType
from marketplace.ranges import Range
from marketplace.services import boundaries, qualifications

QUESTIONS = Range(1, 20)
"""Questions that one exam asks."""

TRAINING = Range(0, 10)
"""Training questions, which come before the exam."""

TIME_LIMIT_MINUTES = Range(1, 8 * 60)
"""How long an exam may take."""

INSTRUCTIONS_LENGTH = Range(0, 2_000)
"""Characters of what workers read beside the questions."""

EXAMS = 2
"""A test keeps so many exams' worth of questions, where there are as many, so that a second attempt asks others too."""

NAMES = {IMAGE: "pictures", TEXT: "texts"}
"""What questions show, in words."""

MOST_READ = 2_000
"""Lines of a data set among which questions are drawn, and objects of a job."""


@dataclass(frozen=True, kw_only=True)
class TestDesign:
    """What a test is made from and how it is taken: a job whose objects have labels, or a data set that has labels
    under an attribute. `training` questions come beside those of the exam."""

    __test__ = False

    job: LabelingJob | None = None
    dataset: Dataset | None = None
    label_attribute_name: str = ""
    task_type: str = task_types.DEFAULT
    questions: int = 10
    training: int = 3
    time_limit_minutes: int = 30
    instructions: str = ""


def create(*, account: Account | None, by: str, test: TestDesign | None = None, **values: Any) -> QualificationType:
    """Make a qualification type; `values` are those of qualifications.create_type, `test` is for one granted by a test.

    Raises Invalid, naming fields of the test as "test.questions", when there are too few objects with a label, and
    what create_type raises.
    """
    wanted = values.get("granted_by") == GrantedBy.TEST
    if wanted != (test is not None):
        raise Invalid("a test expected" if wanted else "only for a qualification granted by a test", field="test")
    if test is None:
        return qualifications.create_type(account=account, by=by, **values)
    if account is None:
        raise Invalid("a test is made of an account's objects, so its type belongs to an account", field="test")
    questions, kind, labels = _questions(account, test)
    with transaction.atomic():
        made = qualifications.create_type(account=account, by=by, **values)
        row = QualificationTest.objects.create(
            qualification_type=made,
            task_type=kind.name,
            labels=labels,
            instructions=test.instructions.strip(),
            questions_asked=test.questions,
            time_limit_seconds=test.time_limit_minutes * 60,
        )
        for place, question in enumerate(questions):
            question.test, question.place, question.training = row, place, place < test.training
        QualificationQuestion.objects.bulk_create(questions)
    return made


def _questions(account: Account, test: TestDesign) -> tuple[list[QualificationQuestion], TaskType[Any, Any], list[str]]:
    """Questions in random order, as many as there are and are wanted, with the task type and the classes."""
    _check(test)
    if test.job is not None:
        kind, labels = task_types.get(test.job.task_type), list(test.job.labels)
        found = _of_job(test.job, kind)
    elif test.dataset is not None:
        kind = task_types.get(test.task_type)
        truths = list(_truths(account, test.dataset, test.label_attribute_name, kind))
        labels = _classes(test, kind, [truth for _, truth in truths])
        found = _of_dataset(account, truths, kind)
    if kind.by_template:
        raise Invalid(f"a test of {kind.name} cannot be made: nobody can say which answer is right", field="test")
    least, most = test.training + test.questions, test.training + EXAMS * test.questions
    made = []
    for question in found:
        made.append(question)
        if len(made) == most:
            break
    if len(made) < least:
        source = "job" if test.job is not None else "dataset"
        raise Invalid(f"{least} labeled {NAMES[kind.medium]} expected, {len(made)} found", field=f"test.{source}")
    return made, kind, labels


def _check(test: TestDesign) -> None:
    wrong = []
    if (test.job is None) == (test.dataset is None):
        wrong.append(("test.job", "either a job or a data set expected"))
    if test.dataset is not None and not test.label_attribute_name:
        wrong.append(("test.label_attribute_name", "the attribute that holds the labels expected"))
    if test.task_type not in task_types.names():
        wrong.append(("test.task_type", f"{test.task_type!r} found, one of {', '.join(task_types.names())} expected"))
    elif task_types.get(test.job.task_type if test.job else test.task_type).audited is not None:
        wrong.append(("test.job" if test.job else "test.task_type", "questions show no earlier labels to look at"))
    for name, value, allowed in (
        ("questions", test.questions, QUESTIONS),
        ("training", test.training, TRAINING),
        ("time_limit_minutes", test.time_limit_minutes, TIME_LIMIT_MINUTES),
    ):
        if not isinstance(value, int) or value not in allowed:
            wrong.append((f"test.{name}", f"{value!r} found, a whole number of {allowed} expected"))
    if len(test.instructions.strip()) not in INSTRUCTIONS_LENGTH:
        wrong.append(("test.instructions", f"a text of {INSTRUCTIONS_LENGTH} characters expected"))
    if wrong:
        raise Invalid("the test cannot be made", errors=wrong)


def _of_job(job: LabelingJob, kind: TaskType[Any, Any]) -> Iterator[QualificationQuestion]:
    """From the objects that people have labeled, the requester's own decisions before all others."""
    labeled = DataObject.objects.filter(
        Q(width__isnull=False) & ~Q(inspected_at=None, label__algorithm=loading.IMPORTED),
        job=job,
        label__source__in=(LabelSource.ADJUDICATED, LabelSource.HUMAN),
    ).select_related("label", "job__queue")
    own = list(labeled.filter(label__source=LabelSource.ADJUDICATED).order_by("index")[:MOST_READ])
    surest = F("label__confidence").desc(nulls_last=True)
    others = list(labeled.filter(label__source=LabelSource.HUMAN).order_by(surest, "index")[:MOST_READ])
    random.shuffle(own)
    # Among the surer half, so that a test asks what people agree on and not the same pictures every time.
    surer = others[: max(1, (len(others) + 1) // 2)]
    random.shuffle(surer)
    for row in [*own, *surer, *others[len(surer) :]]:
        assert row.label is not None and row.width is not None and row.height is not None
        truth = kind.read_value(row.label.value)
        if kind.misfit(truth, (row.width, row.height)):
            continue
        text = ""
        if kind.medium == TEXT:
            try:
                text = texts.text_of(row)
            except storage.StoreUnavailable:
                raise
            except DomainError:
                # Its file is gone: it can be no question.
                continue
        yield QualificationQuestion(
            source_ref=row.source_ref,
            upright_uri=row.upright_uri,
            text=text,
            width=row.width,
            height=row.height,
            truth=kind.value(kind.certain(truth)),
        )


def _truths(
    account: Account, dataset: Dataset, attribute: str, kind: TaskType[Any, Any]
) -> Iterator[tuple[tuple[str, str | None], Any]]:
    """Of each line that has a label that can be read: its address, or its text, and the true answer."""
    if not dataset.manifest_uri:
        raise Invalid(f"the data set is {dataset.status}", field="test.dataset")
    kinds = manifest.KINDS if kind.medium == TEXT else (manifest.SOURCE_REF,)
    options: dict[str, Any] = {"label_attribute_name": attribute, "kinds": kinds}
    read = 0
    with storage.open(dataset.manifest_uri) as stream:
        for line in datasets.selected(stream, {"kind": "full"}, account=account, **options):
            if not isinstance(line, manifest.Line) or not line.labeled:
                continue
            try:
                attributes = label_files.with_file(line.attributes, attribute, kind=kind, account=account)
                truth = kind.read_manifest(attributes, attribute).answer
            except one_by_one.OF_ONE_OBJECT:
                continue
            yield (line.source_ref or "", line.source), truth
            read += 1
            if read == MOST_READ:
                return


def _classes(test: TestDesign, kind: TaskType[Any, Any], truths: list[Any]) -> list[str]:
    """The classes of the import that made the data set, else those that occur; never fewer than the type needs."""
    made_by = scope.import_of(test.dataset) if test.dataset is not None else None
    if made_by is not None and made_by.label_attribute_name == test.label_attribute_name and made_by.labels:
        return list(made_by.labels)
    found = sorted({label for truth in truths for label in kind.classes(truth)})
    if truths and len(found) < kind.fewest_labels:
        reason = f"the labels name {len(found)} classes, at least {kind.fewest_labels} expected"
        raise Invalid(reason, field="test.dataset")
    return found


def _of_dataset(
    account: Account, truths: list[tuple[tuple[str, str | None], Any]], kind: TaskType[Any, Any]
) -> Iterator[QualificationQuestion]:
    """Questions of what can be shown, in random order; a picture or a text is looked at when its turn comes."""
    base = storage.join(boundaries.base_of(account), "upright", f"test-{secrets.token_hex(8)}")
    for place, ((uri, inline), truth) in enumerate(random.sample(truths, len(truths))):
        copy, text = storage.join(base, str(place)), ""
        if kind.medium == TEXT:
            info, upright = texts.examine(uri, inline, copy=copy)
            if info.ok:
                text = inline if inline is not None else texts.stored(upright or uri)
        else:
            info, upright = inspection.examine(uri, copy=copy, patient=False)
        if info.ok and not kind.misfit(truth, (info.width, info.height)):
            yield QualificationQuestion(
                source_ref=uri,
                upright_uri=upright,
                text=text,
                width=info.width,
                height=info.height,
                truth=kind.value(kind.certain(truth)),
            )
