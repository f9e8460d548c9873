"""What is learned from a tenant's past: models as parameters, never as code."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantOwned


class ScoringModel(TenantOwned):
    """The latest fit of one kind; dropped with its tenant."""

    class Kind(models.TextChoices):
        NOVELTY = "novelty", _("how unusual")
        URGENCY = "urgency", _("how urgent")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    # Arrays and counts as `alerting.scoring.numerics.packing` writes them.
    data = models.BinaryField()
    examples = models.PositiveIntegerField(_("examples"))
    # How it did on cases it had not seen; NULL where nothing can be measured.
    quality = models.JSONField(_("quality"), null=True)
    trained_at = models.DateTimeField(_("learned"), db_default=Now())

    class Meta:
        db_table = "scoring_model"
        default_permissions = ()
        verbose_name = _("scoring model")
        verbose_name_plural = _("scoring models")
        constraints = [models.UniqueConstraint("tenant", "kind", name="scoring_model_one")]

    def __str__(self) -> str:
        return self.get_kind_display()
