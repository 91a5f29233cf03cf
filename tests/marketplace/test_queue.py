"""Messages for the background: delivered at once, or not before a while has passed."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from marketplace import queue

pytestmark = pytest.mark.django_db
SWEEP = "labeling.background.sweep"


def delivered():
    return [pk for pk, _ in get_broker().dequeue() or []]


def test_a_message_for_later_is_not_delivered_before():
    queue.enqueue(SWEEP, after=timedelta(minutes=10))
    assert delivered() == []
    (waiting,) = OrmQ.objects.all()
    assert timedelta(minutes=9) < waiting.lock - timezone.now() <= timedelta(minutes=10)
    queue.enqueue(SWEEP)
    assert delivered() == [OrmQ.objects.exclude(pk=waiting.pk).get().pk]
    OrmQ.objects.filter(pk=waiting.pk).update(lock=timezone.now() - timedelta(seconds=1))
    assert delivered() == [waiting.pk]
    assert waiting.task["func"] == SWEEP


def test_a_message_to_nobody_is_refused():
    with pytest.raises(AttributeError):
        queue.enqueue(SWEEP.replace("sweep", "no_such_function"), after=timedelta(seconds=1))
    assert not OrmQ.objects.exists()
