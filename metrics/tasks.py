"""Celery tasks of the metrics app: each opens nothing and calls one function."""

from uuid import UUID

from celery import shared_task

from metrics import collecting, demo, duties, partitions
from metrics.drift import computing
from metrics.judging import causes, clock, engine, fitting, foretelling
from metrics.trust import evidence


@shared_task
def keep_partitions() -> None:
    """Make the partitions of the days to come and drop those that are past their retention."""
    partitions.make_ahead()
    partitions.drop_old()


@shared_task
def judge() -> None:
    """Judge the series that have new samples."""
    engine.judge_all()


@shared_task
def look_at_clock() -> None:
    """Find series that fell silent, repeat what goes on, end what cannot be judged."""
    clock.look_all()


@shared_task
def fit_models() -> None:
    """Warm the models of new series and fit those anew that have to be."""
    fitting.fit_all()


@shared_task
def take_in(tenant_id: str) -> None:
    """Take a tenant's waiting pushes in."""
    duties.take_in(UUID(tenant_id))


@shared_task
def roll(tenant_id: str) -> None:
    """Roll a tenant's due hours up."""
    duties.roll(UUID(tenant_id))


@shared_task
def announce_waiting() -> None:
    """Announce work of metrics that waits."""
    duties.announce_waiting()


@shared_task
def close_idle() -> None:
    """Close the last hours of series that fell silent."""
    duties.close_idle()


@shared_task
def collect_shard() -> None:
    """Ask a share of the metric sources that are due."""
    collecting.collect_shard()


@shared_task
def compute_drift() -> None:
    """Compute how far the features of models have drifted."""
    computing.compute_all()


@shared_task
def simulate() -> None:
    """Go on with the made-up metrics of the demo tenant."""
    demo.simulate()


@shared_task
def foretell() -> None:
    """Look ahead: which series are going to cross a limit."""
    foretelling.foretell_all()


@shared_task
def seek_causes() -> None:
    """Look for what moved with findings or before them."""
    causes.seek_all()


@shared_task
def gather_evidence() -> None:
    """Look up what the past says about detectors that have to earn trust."""
    evidence.gather_all()
