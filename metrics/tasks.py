"""Celery tasks of the metrics app: each opens nothing and calls one function."""

from celery import shared_task

from metrics import partitions


@shared_task
def keep_partitions() -> None:
    """Make the partitions of the days to come and drop those that are past their retention."""
    partitions.make_ahead()
    partitions.drop_old()
