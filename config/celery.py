"""The Celery application: queues by duty, how tasks fail, and every periodic schedule.

Tasks are wake-ups that carry ids; the work they do is read from PostgreSQL. A lost or doubled
message therefore costs nothing, which is why there is no result backend and no timer in the broker.
"""

import os
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import connection
from django.urls import get_resolver

QUEUES = ("intake", "notify", "metrics", "maintenance")
WARM_UP_AFTER = 5.0

app = Celery("alerting")
app.conf.update(
    broker_url=settings.REDIS_URL,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_time_limit=60,
    task_soft_time_limit=45,
    worker_max_tasks_per_child=5_000,
    worker_soft_shutdown_timeout=20,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 120,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    },
    task_serializer="json",
    accept_content=["json"],
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="maintenance",
    task_routes={
        "alerting.tasks.drain_intake": {"queue": "intake"},
        # Work on the database, however much the providers dawdle: only sending waits for them.
        "alerting.tasks.flush_groups": {"queue": "intake"},
        "alerting.tasks.escalate": {"queue": "intake"},
        # Its answers go to Slack, and a person waits for each.
        "alerting.tasks.do_slack_acts": {"queue": "notify"},
        "alerting.tasks.deliver": {"queue": "notify"},
        "metrics.tasks.*": {"queue": "metrics"},
    },
    beat_schedule={
        "audit": {"task": "alerting.tasks.audit", "schedule": 60.0, "options": {"expires": 60}},
        "resolve-stale": {"task": "alerting.tasks.resolve_stale", "schedule": 60.0, "options": {"expires": 60}},
        "clean-up": {"task": "alerting.tasks.clean_up", "schedule": 3600.0, "options": {"expires": 3600}},
        "learn": {"task": "alerting.tasks.learn", "schedule": 6 * 3600.0, "options": {"expires": 3600}},
        "import-calendars": {"task": "alerting.tasks.import_calendars", "schedule": 900.0, "options": {"expires": 900}},
        "watch-on-call": {"task": "alerting.tasks.watch_on_call", "schedule": 3600.0, "options": {"expires": 3600}},
        "paused": {"task": "alerting.tasks.repeat_paused", "schedule": 3600.0, "options": {"expires": 3600}},
        "sweep": {"task": "alerting.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "collect": {"task": "metrics.tasks.collect_shard", "schedule": 5.0, "options": {"expires": 5}},
        "compute-drift": {"task": "metrics.tasks.compute_drift", "schedule": 3600.0, "options": {"expires": 3600}},
        "judge": {"task": "metrics.tasks.judge", "schedule": 5.0, "options": {"expires": 5}},
        "look-at-clock": {"task": "metrics.tasks.look_at_clock", "schedule": 60.0, "options": {"expires": 60}},
        "foretell": {"task": "metrics.tasks.foretell", "schedule": 300.0, "options": {"expires": 300}},
        "seek-causes": {"task": "metrics.tasks.seek_causes", "schedule": 60.0, "options": {"expires": 60}},
        "gather-evidence": {"task": "metrics.tasks.gather_evidence", "schedule": 600.0, "options": {"expires": 600}},
        "fit-entities": {"task": "metrics.tasks.fit_entities", "schedule": 120.0, "options": {"expires": 120}},
        "forget-aside": {"task": "metrics.tasks.forget_aside", "schedule": 3600.0, "options": {"expires": 3600}},
        "forget-findings": {"task": "metrics.tasks.forget_findings", "schedule": 3600.0, "options": {"expires": 3600}},
        "fit-models": {"task": "metrics.tasks.fit_models", "schedule": 30.0, "options": {"expires": 30}},
        "announce-metrics": {"task": "metrics.tasks.announce_waiting", "schedule": 5.0, "options": {"expires": 5}},
        "close-idle-series": {"task": "metrics.tasks.close_idle", "schedule": 86_400.0, "options": {"expires": 86_400}},
        "keep-partitions": {"task": "metrics.tasks.keep_partitions", "schedule": 3600.0, "options": {"expires": 3600}},
    }
    | {
        f"canary-{queue}": {
            "task": "alerting.tasks.canary",
            "args": [queue],
            "schedule": 15.0,
            "options": {"queue": queue, "expires": 15},
        }
        for queue in QUEUES
    },
)
if settings.SIMULATE_METRICS:
    app.conf.beat_schedule["simulate"] = {
        "task": "metrics.tasks.simulate",
        "schedule": 15.0,
        "options": {"expires": 15},
    }
app.autodiscover_tasks(["tenants", "channels", "alerting", "metrics"])


PUBLISH_TRANSPORT = {"socket_connect_timeout": 0.2, "socket_timeout": 0.25, "max_retries": 0}


def publish(task: str, *ids: str) -> None:
    """Send one wake-up; give up after about half a second.

    Raises whatever the transport raises when the broker is away: the caller treats a wake-up as best effort.
    """
    with app.connection_for_write(transport_options=PUBLISH_TRANSPORT, connect_timeout=0.2) as connection:
        app.send_task(task, args=ids, connection=connection, retry=False)


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    """Load what the first message with a link would wait for; in the senders, whose threads share it.

    A little later, so that the start of the service does not wait for it.
    """
    if "thread" in sender.controller.pool_cls.__module__:
        timer = threading.Timer(WARM_UP_AFTER, lambda: get_resolver().url_patterns)
        timer.daemon = True
        timer.start()


@worker_process_init.connect
def connect(**_: Any) -> None:
    """Open each child's own connection."""
    connection.ensure_connection()


@worker_shutting_down.connect
def stop_sending(**_: Any) -> None:
    """Give back what is leased and not sent yet; a worker with threads would send for half a minute more."""
    from channels.delivery.engine import stop_sending as stop

    stop()
