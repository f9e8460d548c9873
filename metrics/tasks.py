"""Celery tasks of the metrics app: each opens nothing and calls one function.

What a task calls is imported when it runs: every worker knows all tasks by name, and those that never run one of
these have no use for numpy.
"""

from uuid import UUID

from celery import shared_task


@shared_task
def keep_partitions() -> None:
    """Make the partitions of the days to come and drop those that are past their retention."""
    from metrics.storage import partitions

    partitions.make_ahead()
    partitions.drop_old()


@shared_task
def judge() -> None:
    """Judge the series that have new samples."""
    from metrics.judging import engine

    engine.judge_all()


@shared_task
def look_at_clock() -> None:
    """Find series that fell silent, repeat what goes on, end what cannot be judged."""
    from metrics.judging import clock

    clock.look_all()


@shared_task
def fit_models() -> None:
    """Warm the models of new series and fit those anew that have to be."""
    from metrics.judging import fitting

    fitting.fit_all()


@shared_task
def take_in(tenant_id: str) -> None:
    """Take a tenant's waiting pushes in."""
    from metrics import duties

    duties.take_in(UUID(tenant_id))


@shared_task
def roll(tenant_id: str) -> None:
    """Roll a tenant's due hours up."""
    from metrics import duties

    duties.roll(UUID(tenant_id))


@shared_task
def announce_waiting() -> None:
    """Announce work of metrics that waits."""
    from metrics import duties

    duties.announce_waiting()


@shared_task
def close_idle() -> None:
    """Close the last hours of series that fell silent."""
    from metrics import duties

    duties.close_idle()


@shared_task
def collect_shard() -> None:
    """Ask a share of the metric sources that are due."""
    from metrics import collecting

    collecting.collect_shard()


@shared_task
def compute_drift() -> None:
    """Compute how far the features of models have drifted."""
    from metrics.drift import computing

    computing.compute_all()


@shared_task
def simulate() -> None:
    """Go on with the made-up metrics of the demo tenant."""
    from metrics import demo

    demo.simulate()


@shared_task
def foretell() -> None:
    """Look ahead: which series are going to cross a limit."""
    from metrics.judging import foretelling

    foretelling.foretell_all()


@shared_task
def seek_causes() -> None:
    """Look for what moved with findings or before them."""
    from metrics.judging import causes

    causes.seek_all()


@shared_task
def gather_evidence() -> None:
    """Look up what the past says about detectors that have to earn trust."""
    from metrics.trust import evidence

    evidence.gather_all()


@shared_task
def fit_entities() -> None:
    """Wake a task for each tenant whose entities are judged by several metrics together."""
    from metrics.entities import fitting as entities

    entities.announce_all()


@shared_task
def fit_entities_of(tenant_id: str) -> None:
    """Fit the models of a tenant's entities."""
    from metrics.entities import fitting as entities

    entities.fit_tenant(UUID(tenant_id))


@shared_task
def forget_aside() -> None:
    """Remove pushes that were set aside long ago."""
    from metrics import aside

    aside.forget_all()


@shared_task
def forget_findings() -> None:
    """Remove findings that were over long ago."""
    from metrics.judging import forgetting

    forgetting.forget_all()
