"""The picture of a finding behind its signed address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from channels.languages.voice import Voice
from metrics.charts.course import courses_of
from metrics.charts.drawing import draw
from metrics.charts.links import read_token
from metrics.judging.due import database_time
from metrics.models import Finding
from tenants.context import tenant_context
from tenants.models import Tenant


def picture(token: str) -> bytes | None:
    """The PNG an address stands for; None when it was forged, or there is nothing (left) to draw."""
    ids = read_token(token)
    if ids is None:
        return None
    tenant_id, finding_id = ids
    with tenant_context(tenant_id):
        finding = Finding._default_manager.select_related("series", "threshold").filter(pk=finding_id).first()
        if finding is None:
            return None
        courses = courses_of(finding, database_time())
        locale, zone = Tenant.objects.values_list("locale", "time_zone").get(pk=tenant_id)
    return draw(courses, Voice(locale, zone), ZoneInfo(zone)) if courses else None
