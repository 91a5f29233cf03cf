"""The rows of this room that belong to an account: what pages, REST and the AWS wire may show and change for it.

A row of another account is as unknown as one that does not exist. Knows nothing of roles.
"""

from django.db.models import QuerySet

from labeling.models import DataObject, Dataset, Export, LabelingJob
from marketplace.errors import NotFound
from marketplace.models import Account


def jobs(account: Account) -> QuerySet[LabelingJob]:
    """The account's labeling jobs."""
    return LabelingJob.objects.filter(account=account)


def job(account: Account, job_id: int) -> LabelingJob:
    """A labeling job of the account, with its team and account loaded. Raises NotFound."""
    found = jobs(account).select_related("queue__workteam", "account").filter(pk=job_id).first()
    if found is None:
        raise NotFound(f"the account has no labeling job {job_id}")
    return found


def datasets(account: Account) -> QuerySet[Dataset]:
    """The account's data sets."""
    return Dataset.objects.filter(account=account)


def dataset(account: Account, dataset_id: int) -> Dataset:
    """A data set of the account. Raises NotFound."""
    found = datasets(account).filter(pk=dataset_id).first()
    if found is None:
        raise NotFound(f"the account has no data set {dataset_id}", field="dataset")
    return found


def export(account: Account, export_id: int) -> Export:
    """An export of one of the account's jobs, with its job loaded. Raises NotFound."""
    found = Export.objects.select_related("job").filter(pk=export_id, job__account=account).first()
    if found is None:
        raise NotFound(f"the account has no export {export_id}")
    return found


def objects(account: Account, job_id: int) -> QuerySet[DataObject]:
    """The objects of a labeling job of the account, with their labels. Raises NotFound for another job."""
    return DataObject.objects.filter(job=job(account, job_id)).select_related("label")


def data_object(job: LabelingJob, object_id: int) -> DataObject:
    """An object of the job, with its label loaded. Raises NotFound."""
    found = DataObject.objects.select_related("label").filter(pk=object_id, job=job).first()
    if found is None:
        raise NotFound(f"the labeling job has no object {object_id}")
    return found
