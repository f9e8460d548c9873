"""Who agreed that we see when they open a mail, and when they did: the time and nothing else."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from channels.models.delivery import Delivery
from tenants.isolation import TenantForeignKey, TenantOwned, TenantRow


class MailConsent(TenantOwned):
    """A reader's own yes; while the row is there it holds. The audit log keeps when it was given and taken back."""

    address = models.CharField(_("address"), max_length=320)
    # The sentence that they agreed to, in the language they read it in.
    wording = models.CharField(_("what they agreed to"), max_length=500)
    given_at = models.DateTimeField(_("given"), db_default=Now())

    class Meta:
        db_table = "mail_consent"
        ordering = ["-given_at"]
        verbose_name = _("consent to see mails opened")
        verbose_name_plural = _("consents to see mails opened")
        constraints = [models.UniqueConstraint("tenant", "address", name="mail_consent_address")]

    def __str__(self) -> str:
        return self.address


class MailOpening(TenantRow):
    """When a mail was opened first; gone as soon as its reader takes the consent back."""

    delivery = TenantForeignKey(Delivery, models.CASCADE, related_name="openings")
    address = models.CharField(max_length=320)
    opened_at = models.DateTimeField(_("opened"), db_default=Now())

    class Meta:
        db_table = "mail_opening"
        default_permissions = ()
        constraints = [models.UniqueConstraint("tenant", "delivery", name="mail_opening_once")]
        indexes = [models.Index("tenant", "address", name="mail_opening_address")]
