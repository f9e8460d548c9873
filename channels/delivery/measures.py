"""What Prometheus is told about deliveries."""

from prometheus_client import Counter, Histogram

ENDED = Counter("channel_deliveries_total", "Deliveries that reached a final state.", ["kind", "outcome"])
ATTEMPTS = Histogram(
    "channel_attempt_seconds",
    "How long providers take to answer.",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
RETRIES = Counter("channel_retries_total", "Calls that will be made again.", ["kind", "reason"])
CIRCUITS_OPENED = Counter("channel_circuits_opened_total", "Times a destination was paused for failing.", ["kind"])
LEASES_LOST = Counter("channel_leases_lost_total", "Sends whose result came after their lease was over.", ["kind"])
OBSERVER_FAILURES = Counter("channel_observer_failures_total", "Observers of failed deliveries that raised.")
