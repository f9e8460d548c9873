"""What a tenant has spent on SMS, and what one more text would take: for the admin, the API and the preview."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.message import Message
from channels.models import SmsPlan
from channels.sms.composing import compose
from channels.sms.segments import PART, SINGLE, measure
from tenants.context import current_tenant_id, has_tenant_context
from tenants.models import Tenant

PREVIEW_ID: Final = "00000000-0000-7000-8000-000000000000"
_USED: Final = """
SELECT count(*) FILTER (WHERE admitted_at > statement_timestamp() - interval '1 hour'), count(*),
    coalesce(sum(segments), 0), coalesce(sum(cost), 0)
FROM sms_message WHERE tenant_id = %(tenant)s
AND (admitted_at > statement_timestamp() - interval '1 hour'
     OR admitted_at >= date_trunc('month', statement_timestamp() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s)
"""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of the last hour, and messages, segments and estimated cost of this month."""

    last_hour: int
    messages: int
    segments: int
    cost: Decimal


def used() -> Used:
    """Return what the tenant of the context has used."""
    tenant_id = current_tenant_id()
    zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=tenant_id)
    values: dict[str, Any] = {"tenant": tenant_id, "zone": zone}
    with connection.cursor() as cursor:
        cursor.execute(_USED, values)
        last_hour, messages, segments, cost = cursor.fetchone()
    return Used(last_hour=last_hour, messages=messages, segments=segments, cost=cost)


def preview_notes(parts: Mapping[str, str], message: Message) -> dict[str, str]:
    """Return what a text becomes as an SMS: the words that go out, its size and what it would cost."""
    # A template is also tried where no tenant is: then at the price a plan begins with.
    own = SmsPlan._default_manager.first() if has_tenant_context() else None
    plan = own or SmsPlan()
    fitted = compose(message, parts.get("text", ""), message.delivery_id or PREVIEW_ID, replies=True)
    whole = measure(parts.get("text", ""))
    size = measure(fitted.text)
    room = SINGLE[size.encoding] if size.segments <= 1 else PART[size.encoding] * size.segments
    count = ngettext("%(n)d segment", "%(n)d segments", size.segments) % {"n": size.segments}
    notes = {
        _("As it goes out"): fitted.text,
        _("Size"): f"{count}, {size.encoding}, {size.units}/{room}",
        _("Estimated cost"): f"{plan.price * size.segments} {plan.currency}",
    }
    if fitted.is_shortened:
        words = _("Shortened to one segment; the template alone would take %(count)d.")
        notes[_("Note")] = words % {"count": whole.segments}
    return notes
