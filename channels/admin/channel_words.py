"""What the fields of a channel are called in its form, and what helps to fill them."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from channels.admin.struct_fields import Words

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
    "answer_id": gettext_lazy("Where an answer holds its own id"),
    "answer_from": gettext_lazy("Where an answer names its writer"),
    "answer_text": gettext_lazy("Where an answer holds its words"),
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
WORDS: Final = Words(LABELS, HINTS)
