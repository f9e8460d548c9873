"""API keys: how a program speaks for a tenant."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.isolation import TenantForeignKey, TenantOwned


class ApiKey(TenantOwned):
    """A key shown once; kept are its public prefix and an HMAC of its secret (tenants/keys.py)."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=32), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    replaced_by = TenantForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("replaced by")
    )

    # Reads the one key whose prefix `app.key_prefix` names, before its tenant is known.
    directory: models.Manager["ApiKey"] = models.Manager()

    class Meta:
        db_table = "api_key"
        ordering = ["-created_at"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        default_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
