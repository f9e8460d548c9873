"""The only way out: requests to addresses that tenants name, guarded against reaching inward."""

from channels.egress.client import Answer, request
from channels.egress.errors import Blocked, EgressError
from channels.egress.resolving import Checked, resolve_checked
from channels.egress.urls import Target, check_url

__all__ = [
    "Answer",
    "Blocked",
    "Checked",
    "EgressError",
    "Target",
    "check_url",
    "request",
    "resolve_checked",
]
