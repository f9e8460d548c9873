"""Form fields made from an adapter's structs, so that a new kind of channel needs no form of its own."""

import base64
import re
import secrets
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from django import forms
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from channels.adapters.base import Adapter

# Words for fields that adapters share; a field without one is shown by its own name.
LABELS: Final[dict[str, Promise]] = {
    "channel": gettext_lazy("Channel"),
    "token": gettext_lazy("Bot token"),
    "signing_secret": gettext_lazy("Signing secret"),
    "host": gettext_lazy("Mail server"),
    "port": gettext_lazy("Port"),
    "security": gettext_lazy("Encryption"),
    "to": gettext_lazy("Recipients"),
    "from_address": gettext_lazy("Sender address"),
    "from_name": gettext_lazy("Sender name"),
    "user": gettext_lazy("User"),
    "password": gettext_lazy("Password"),
    "url": gettext_lazy("Address"),
    "secrets": gettext_lazy("Signing secrets"),
    "format": gettext_lazy("Format"),
    "sender": gettext_lazy("Sender"),
    "gateway": gettext_lazy("Gateway"),
    "account_sid": gettext_lazy("Account SID"),
    "countries": gettext_lazy("Countries"),
    "max_segments": gettext_lazy("Segments at most"),
    "replies": gettext_lazy("Take answers"),
    "quiet_hours": gettext_lazy("Quiet hours"),
    "time_zone": gettext_lazy("Time zone"),
    "request": gettext_lazy("Request"),
    "id_field": gettext_lazy("Where the answer holds its id"),
    "receipt_header": gettext_lazy("Header with its signature"),
    "receipt_id": gettext_lazy("Where a receipt names the message"),
    "receipt_status": gettext_lazy("Where a receipt says how far it got"),
    "receipt_error": gettext_lazy("Where a receipt holds an error's number"),
    "receipt_states": gettext_lazy("Its words for how far it got"),
    "auth_token": gettext_lazy("Auth token"),
    "api_key": gettext_lazy("API key"),
    "api_secret": gettext_lazy("API key's secret"),
    "authorization": gettext_lazy("Authorization header"),
    "webhook_secret": gettext_lazy("User:password of its calls"),
    "signing_key": gettext_lazy("Key that signs its calls"),
    "provider": gettext_lazy("Sent by"),
    "region": gettext_lazy("Region"),
    "info_as": gettext_lazy("What is only for information"),
    "source": gettext_lazy("Source"),
    "component": gettext_lazy("Component"),
    "event_class": gettext_lazy("Class"),
    "act_on_groups": gettext_lazy("Act on our groups"),
    "routing_key": gettext_lazy("Integration key"),
    "webhook_secrets": gettext_lazy("Webhook secrets"),
    "names": gettext_lazy("Names"),
    "urls": gettext_lazy("Addresses"),
}
HINTS: Final[dict[tuple[str, str], Promise]] = {
    ("slack", "channel"): gettext_lazy("An id such as C0123456789 or a name such as #alerts."),
    ("slack", "token"): gettext_lazy("Begins with xoxb-; needs the scope chat:write, and channels:history to look up."),
    ("slack", "signing_secret"): gettext_lazy("From the app's page at Slack; with it messages have buttons."),
    ("email", "to"): gettext_lazy("One address a line; each gets a mail of their own."),
    ("email", "host"): gettext_lazy("Only for SMTP."),
    ("email", "api_key"): gettext_lazy("Of a provider; SMTP has user and password."),
    ("email", "webhook_secret"): gettext_lazy(
        "For a provider's news of bounces: it calls https://user:password@…/callbacks/mail/tenant/channel."
    ),
    ("email", "signing_key"): gettext_lazy("Mailgun's webhook signing key; SendGrid's verification key."),
    ("webhook", "url"): gettext_lazy("Gets a signed POST (Standard Webhooks) for each message."),
    ("webhook", "format"): gettext_lazy("alertmanager: what receivers made for Prometheus Alertmanager read."),
    ("sms", "to"): gettext_lazy("One number a line, without blanks, such as +436641234567; each is told by itself."),
    ("sms", "sender"): gettext_lazy("A number, a messaging service (MG...) or a name of at most 11 characters."),
    ("sms", "countries"): gettext_lazy("Two letters each, such as AT; empty allows all that the operator allows."),
    ("sms", "quiet_hours"): gettext_lazy("Such as 22:00-07:00; what is critical goes out all the same."),
    ("sms", "time_zone"): gettext_lazy("Of the readers; empty: the tenant's."),
    ("sms", "max_segments"): gettext_lazy("Each costs; longer texts are shortened visibly, with a link."),
    ("sms", "url"): gettext_lazy("Of an HTTP gateway; empty for Twilio."),
    ("sms", "request"): gettext_lazy("JSON or a form with {to}, {text}, {from} and {id}."),
    ("sms", "receipt_header"): gettext_lazy("Holds HMAC-SHA256 over the body, in hex or base64."),
    ("sms", "receipt_id"): gettext_lazy("A path such as message.id; the gateway's id or the {id} it was given."),
    ("sms", "receipt_states"): gettext_lazy("Such as ARRIVED=delivered, one a line; usual words are known."),
    ("sms", "webhook_secrets"): gettext_lazy(
        "Sign an HTTP gateway's receipts, which it sends to /callbacks/sms/tenant/channel; one a line."
    ),
    ("sms", "auth_token"): gettext_lazy("Twilio's; its callbacks are verified by it."),
    ("pagerduty", "routing_key"): gettext_lazy("Of an Events API v2 integration of the service."),
    ("pagerduty", "info_as"): gettext_lazy("change: change events, which wake nobody."),
    ("pagerduty", "webhook_secrets"): gettext_lazy("Of the v3 webhook that calls us; one a line while it is changed."),
    ("apprise", "names"): gettext_lazy("One word for each address, in their order; one a line."),
    ("apprise", "urls"): gettext_lazy("As Apprise writes them, such as discord://...; one a line."),
    ("webhook", "secrets"): gettext_lazy("whsec_ and base64; a second one lets the receiver change over. One a line."),
}


class LinesField(forms.CharField):
    """A list of texts, one a line or parted by commas."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Return the lines that hold something."""
        return [line for line in re.split(r"[\s,;]+", super().to_python(value) or "") if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != list(initial or []))


class SecretInput(UnfoldAdminTextInputWidget):
    """An input that never shows what is stored, and whose value browsers do not keep."""

    input_type = "password"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", "spellcheck": "false", **(attrs or {})})


def field_name(kind: str, part: str, name: str) -> str:
    """Return the form's name for one field of one kind; `part` is settings or credentials."""
    return f"{part}__{kind}__{name}"


def struct_fields(adapter: Adapter[Any, Any], part: str, *, is_new: bool) -> dict[str, forms.Field]:
    """Return form fields for an adapter's Settings or Credentials, by their name in the form."""
    struct = adapter.Settings if part == "settings" else adapter.Credentials
    hints = get_type_hints(struct)
    made: dict[str, forms.Field] = {}
    for info in msgspec.structs.fields(struct):
        is_secret = part == "credentials"
        field = _field(hints[info.name], is_secret=is_secret)
        # Required is judged by the adapter: only the fields of the chosen kind count.
        field.required = False
        field.label = capfirst(str(LABELS.get(info.name, info.name.replace("_", " "))))
        field.help_text = str(HINTS.get((adapter.kind, info.name), ""))
        if is_secret and not is_new:
            field.widget.attrs["placeholder"] = _("kept as it is")
        if is_new and info.default is not msgspec.NODEFAULT and not is_secret:
            field.initial = info.default
        if is_new and (adapter.kind, info.name) == ("webhook", "secrets"):
            field.initial = [new_signing_secret()]
        made[field_name(adapter.kind, part, info.name)] = field
    return made


def new_signing_secret() -> str:
    """Return a fresh secret in the form that Standard Webhooks prescribes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _field(hint: Any, *, is_secret: bool) -> forms.Field:
    if get_origin(hint) is Literal:
        return forms.ChoiceField(choices=[(one, one) for one in get_args(hint)], widget=UnfoldAdminSelectWidget())
    if hint is bool:
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget())
    if hint is int:
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget())
    if get_origin(hint) in (list, tuple):
        return LinesField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), max_length=20_000)
    if is_secret:
        return forms.CharField(widget=SecretInput(), max_length=4_000, strip=True)
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), max_length=4_000)
