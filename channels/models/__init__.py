"""The tables of the channels app."""

from channels.models.channel import Channel, ChannelUserGrant, MessageTemplate, Semantics, TemplateUserGrant
from channels.models.delivery import (
    OPEN_STATES,
    Delivery,
    DeliveryAttempt,
    DeliveryQueue,
    DeliveryState,
    DestinationHealth,
)
from channels.models.language import PhraseOverride, PhraseRevision
from channels.models.limit import WHOLE_TENANT, SharedLimit
from channels.models.mail import MailConsent, MailOpening
from channels.models.sms import ProviderEvent, SmsMessage, SmsOptOut, SmsPlan, SmsReceipt
from channels.models.thread import CallbackCall, ChannelIdentity, PausedAddress, ThreadAnchor

__all__ = [
    "OPEN_STATES",
    "WHOLE_TENANT",
    "CallbackCall",
    "Channel",
    "ChannelIdentity",
    "ChannelUserGrant",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryQueue",
    "DeliveryState",
    "DestinationHealth",
    "MailConsent",
    "MailOpening",
    "MessageTemplate",
    "PausedAddress",
    "PhraseOverride",
    "PhraseRevision",
    "ProviderEvent",
    "Semantics",
    "SharedLimit",
    "SmsMessage",
    "SmsOptOut",
    "SmsPlan",
    "SmsReceipt",
    "TemplateUserGrant",
    "ThreadAnchor",
]
