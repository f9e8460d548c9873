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
from channels.models.sms import ProviderEvent, SmsMessage, SmsOptOut, SmsPlan, SmsReceipt
from channels.models.thread import CallbackCall, ChannelIdentity, PausedAddress, ThreadAnchor

__all__ = [
    "OPEN_STATES",
    "CallbackCall",
    "Channel",
    "ChannelIdentity",
    "ChannelUserGrant",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryQueue",
    "DeliveryState",
    "DestinationHealth",
    "MessageTemplate",
    "PausedAddress",
    "PhraseOverride",
    "PhraseRevision",
    "ProviderEvent",
    "Semantics",
    "SmsMessage",
    "SmsOptOut",
    "SmsPlan",
    "SmsReceipt",
    "TemplateUserGrant",
    "ThreadAnchor",
]
