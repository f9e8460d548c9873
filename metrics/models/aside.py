"""Pushes that could not be taken in: kept to be looked at, tried again or given up."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantOwned


class SamplesAside(TenantOwned):
    """One accepted push that failed alone; its samples wait here until somebody decides, or retention does."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("waiting")
        REPLAYED = "replayed", _("sent in again")
        DISCARDED = "discarded", _("discarded")

    # As it waited in the queue (metrics/points.py); it may be what cannot be read.
    body = models.BinaryField()
    samples = models.PositiveIntegerField(_("samples"), default=0)
    error = models.CharField(_("why"), max_length=500)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.WAITING)
    received_at = models.DateTimeField(_("received"))
    set_aside_at = models.DateTimeField(_("set aside"), db_default=Now())
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "samples_aside"
        ordering = ["-set_aside_at", "-id"]
        default_permissions = ()
        verbose_name = _("samples set aside")
        verbose_name_plural = _("samples set aside")
        indexes = [models.Index(fields=["tenant", "-set_aside_at"], name="samples_aside_latest")]

    def __str__(self) -> str:
        return f"{self.samples} {self.set_aside_at:%Y-%m-%d %H:%M}"
