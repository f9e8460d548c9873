"""Which alerts can inhibit others: a mark on the row, set anew when the inhibition rules change."""

from typing import Final

import msgspec

from alerting.configuration import Compiled
from alerting.exclusive import Moment
from alerting.rows import execute, fetch
from tenants.context import current_tenant_id

_FIRING: Final = "SELECT id, labels, is_inhibitor FROM alert WHERE tenant_id = %s AND status = 'firing'"
_MARK: Final = """
UPDATE alert SET is_inhibitor = NOT is_inhibitor WHERE tenant_id = %s AND id = ANY(%s::uuid[])
"""
_SETTLE: Final = "UPDATE configuration_revision SET inhibitors = %s WHERE tenant_id = %s"

_decode: Final = msgspec.json.Decoder(dict[str, str]).decode


def refresh(moment: Moment, configuration: Compiled) -> None:
    """Mark the firing alerts by the rules of now, unless they are marked by them already.

    The drain marks what it writes, so only a change of the rules brings work, once, over all that fires.
    """
    if moment.inhibitors == configuration.inhibitors or (moment.inhibitors is None and not configuration.revision):
        return
    tenant_id = current_tenant_id()
    wrong = [
        str(alert_id)
        for alert_id, labels, is_marked in fetch(_FIRING, [tenant_id])
        if bool(configuration.inhibitor.source_keys(_decode(labels))) != is_marked
    ]
    if wrong:
        execute(_MARK, [tenant_id, "{" + ",".join(wrong) + "}"])
    execute(_SETTLE, [configuration.inhibitors, tenant_id])
