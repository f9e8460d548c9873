"""The same two tenants as in the tests of alerting's pages."""

from tests.alerting.admin.conftest import _quick_passwords, foreign, ours

__all__ = ["_quick_passwords", "foreign", "ours"]
