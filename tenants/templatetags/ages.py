"""Times on pages, as how long ago they were; the exact time is the tooltip."""

from datetime import datetime

from django.template import Library
from django.utils.safestring import SafeString

from tenants.admin.display import moment

register = Library()


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """Write `12 s ago`, in the words of the lists; a dash where there is no time."""
    return moment(at)
