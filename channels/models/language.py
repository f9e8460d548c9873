"""A tenant's own words in messages, and the number that tells caches that they changed."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.languages.faults import phrase_faults
from tenants.isolation import TenantOwned, TenantRow


class PhraseOverride(TenantOwned):
    """One phrase said in the tenant's words in one language; takes effect everywhere within a second."""

    locale = models.CharField(_("language"), max_length=12, help_text=_("Such as fr, or fr-CA for Canada alone."))
    key = models.CharField(
        _("phrase"), max_length=80, help_text=_("Its key, with the plural form where it has several: counts.alerts.one")
    )
    text = models.CharField(_("text"), max_length=300, help_text=_("Keep the names in braces, such as {n}."))
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "phrase_override"
        ordering = ["locale", "key"]
        verbose_name = _("own phrase")
        verbose_name_plural = _("own phrases")
        constraints = [models.UniqueConstraint("tenant", "locale", "key", name="phrase_override_key")]

    def __str__(self) -> str:
        return f"{self.key} ({self.locale})"

    def clean(self) -> None:
        """Refuse a phrase that does not exist, and a text with names that the phrase does not know."""
        faults = phrase_faults(self.locale, self.key, self.text)
        if faults:
            raise ValidationError({field: [text] for field, text in faults.items()})


class PhraseRevision(TenantRow):
    """Counts the changes of a tenant's own phrases (trigger); caches compare it."""

    revision = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "phrase_revision"
        constraints = [models.UniqueConstraint("tenant", name="phrase_revision_one")]
