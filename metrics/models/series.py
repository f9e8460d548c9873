"""Series and the queues about them; samples and rollups stand in partitioned tables without a model.

Tables that `metrics/migrations/0002_series_isolation.py` makes by SQL, because Django knows no partitions
(what their bytes mean: `metrics/storage/chunks.py` and `metrics/storage/buckets.py`):

- `sample_chunk` (tenant_id, number, slice_at, at, value): the samples of a series in a quarter of an hour;
- `rollup_minute`, `rollup_hour`, `rollup_day` (tenant_id, number, chunk_at, body): the minutes of an hour, the hours
  of a day and the days of a month;
- `sample_flaw` (tenant_id, number, noted_at, action, reason, samples, at, value): samples that were repaired or
  quarantined, with the value as it came.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantOwned, TenantRow


class Kind(models.TextChoices):
    """What the values of a series are; a counter only grows, and its fall to zero is a restart."""

    GAUGE = "gauge", _("gauge")
    COUNTER = "counter", _("counter")


class Series(TenantOwned):
    """One metric with one set of labels; `number` is its key in the tables of samples and rollups.

    The columns from `first_at` on change with nearly every sample that comes, so no index may stand on them.
    """

    number = models.BigIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=models.Func(
            models.Value("series_number"), function="nextval", output_field=models.BigIntegerField()
        ),
    )
    metric = models.CharField(_("metric"), max_length=256)
    labels = models.JSONField(_("labels"))
    # BLAKE2b-128 over the metric's name and the sorted labels (metrics/identity.py).
    label_hash = models.BinaryField(max_length=16)
    unit = models.CharField(_("unit"), max_length=32, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.GAUGE)
    catalogue_key = models.CharField(_("catalogue entry"), max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())

    first_at = models.DateTimeField(_("first sample"), null=True)
    last_at = models.DateTimeField(_("last sample"), null=True)
    last_value = models.FloatField(_("last value"), null=True)
    # 1 is flawless; alerts made from a series are damped by it.
    quality = models.FloatField(_("quality"), default=1.0, db_default=1.0)
    # The learned seconds between two samples; 0 until there are enough to tell.
    interval = models.FloatField(_("interval"), default=0.0, db_default=0.0)
    # What the quality stage remembers from batch to batch (metrics/quality/memory.py), as float64.
    memory = models.BinaryField(default=b"", db_default=b"")

    class Meta:
        db_table = "series"
        ordering = ["metric", "number"]
        default_permissions = ()
        verbose_name = _("series")
        verbose_name_plural = _("series")
        constraints = [models.UniqueConstraint(fields=["tenant", "label_hash"], name="series_identity")]
        indexes = [models.Index(fields=["tenant", "metric"], name="series_metric")]

    def __str__(self) -> str:
        if not self.labels:
            return self.metric
        return self.metric + "{" + ", ".join(f"{name}={text}" for name, text in sorted(self.labels.items())) + "}"


class MetricRequest(TenantRow):
    """One accepted push: all its samples in one row until a worker has taken them in; then the row goes."""

    body = models.BinaryField()

    class Meta:
        db_table = "metric_request"
        default_permissions = ()


class MetricQueue(models.Model):
    """Queue table: which pushes wait to be taken in, of all tenants; ids, times and counts only."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now())
    samples = models.PositiveIntegerField()

    class Meta:
        db_table = "metric_queue"
        default_permissions = ()
        indexes = [models.Index("tenant_id", "received_at", "id", name="metric_queue_waiting")]


class SeriesDue(models.Model):
    """Queue table: which series have samples that were not judged yet, since when, and from which sample on."""

    pk = models.CompositePrimaryKey("tenant_id", "number")
    tenant_id = models.UUIDField()
    number = models.BigIntegerField()
    # The time of the oldest sample that is new; judging looks from there on.
    from_at = models.DateTimeField()
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "series_due"
        default_permissions = ()


class RollupDue(models.Model):
    """Queue table: which hours of which series have to be rolled up (again), because samples came or came late."""

    pk = models.CompositePrimaryKey("tenant_id", "number", "hour_at")
    tenant_id = models.UUIDField()
    number = models.BigIntegerField()
    hour_at = models.DateTimeField()
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "rollup_due"
        default_permissions = ()


class JudgingTurn(models.Model):
    """Queue table: the parts in which a tenant's due series are judged, and who judged each of them last.

    A part holds the series whose number leaves it as remainder, so its models stay with one process. Its row is
    locked while it is judged; `tries` counts turns begun since one last ended, `size` how many series a turn takes.
    """

    pk = models.CompositePrimaryKey("tenant_id", "part")
    tenant_id = models.UUIDField()
    part = models.PositiveSmallIntegerField()
    holder = models.UUIDField(null=True)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0.0, db_default=0.0)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    size = models.PositiveIntegerField(default=250, db_default=250)

    class Meta:
        db_table = "judging_turn"
        default_permissions = ()
