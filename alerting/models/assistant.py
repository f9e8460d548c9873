"""The language model a tenant may let describe its alerts; none by default."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from encrypted_model_fields.fields import EncryptedTextField

from tenants.isolation import TenantOwned


class LanguageModel(TenantOwned):
    """An endpoint that speaks OpenAI's chat completions; one row per tenant, asked only when a person asks."""

    secret_fields = ("api_key",)

    url = models.CharField(
        _("address"),
        max_length=500,
        help_text=_("Up to the version, such as https://models.example.org/v1; `/chat/completions` is added."),
    )
    model = models.CharField(_("model"), max_length=120)
    api_key = EncryptedTextField(_("API key"), blank=True, default="")
    seconds = models.PositiveSmallIntegerField(
        _("time limit in seconds"), default=10, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    is_active = models.BooleanField(_("active"), default=False)

    class Meta:
        db_table = "language_model"
        verbose_name = _("assistant")
        verbose_name_plural = _("assistant")
        constraints = [models.UniqueConstraint("tenant", name="language_model_one")]

    def __str__(self) -> str:
        return self.model
