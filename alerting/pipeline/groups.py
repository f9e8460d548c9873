"""How the drain finds, opens and counts groups: one open group per key, counters kept by difference."""

from datetime import datetime
from typing import Any, Final

import msgspec

from alerting.decoding import title_of
from alerting.flapping import Turn
from alerting.grouping import Group
from alerting.pipeline.alerts import bytea_array
from alerting.pipeline.assess import Assessed
from alerting.pipeline.news import FIRING
from alerting.rows import as_json, execute, fetch, new_ids
from alerting.timing import after_change, first_flush
from tenants.context import current_tenant_id

MAX_TITLE: Final = 300

_OPEN: Final = """
SELECT id, key, flushed_at FROM alert_group
WHERE tenant_id = %s AND key = ANY(%s::bytea[]) AND status <> 'resolved'
"""
_INSERT: Final = """
INSERT INTO alert_group (id, tenant_id, key, grouping_rule_id, labels, title, severity, firing_count, alert_count,
                         opened_at, changed_at, is_flapping)
SELECT id, %s, key, rule_id, labels, title, severity, firing, members, statement_timestamp(), statement_timestamp(),
       coalesce(flaps, false)
FROM json_to_recordset(%s::json) AS g (id uuid, key bytea, rule_id uuid, labels jsonb, title text, severity smallint,
                                       firing int, members int, flaps bool)
"""
# The highest severity is one look into the index (tenant, group, status, severity).
_UPDATE: Final = """
UPDATE alert_group g SET firing_count = g.firing_count + d.firing, alert_count = g.alert_count + d.members,
    severity = coalesce((SELECT max(a.severity) FROM alert a
                         WHERE a.tenant_id = g.tenant_id AND a.group_id = g.id AND a.status = 'firing'), g.severity),
    is_flapping = CASE WHEN d.flaps IS NULL THEN g.is_flapping WHEN d.flaps THEN true
        ELSE EXISTS (SELECT 1 FROM alert a
                     WHERE a.tenant_id = g.tenant_id AND a.group_id = g.id AND a.is_flapping) END,
    changed_at = CASE WHEN d.is_news THEN statement_timestamp() ELSE g.changed_at END, version = g.version + 1
FROM json_to_recordset(%s::json) AS d (id uuid, firing int, members int, flaps bool, is_news bool)
WHERE mod(d.firing, 1) = 0 AND g.tenant_id = %s AND g.id = d.id
"""


class Delta(msgspec.Struct, kw_only=True):
    """What a batch changes in one group."""

    id: str
    key: str = ""
    rule_id: Any = None
    labels: Any = None
    title: str = ""
    severity: int = 0
    firing: int = 0
    members: int = 0
    flaps: bool | None = None
    is_new: bool = False
    #: An alert of it changed at all, and changed in a way people want to hear of.
    is_touched: bool = False
    is_news: bool = False
    flushed_at: datetime | None = None
    due_at: datetime | None = None


class Groups:
    """The groups a batch touches."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._by_id: dict[str, Delta] = {}
        self._by_key: dict[bytes, Delta] = {}

    def find(self, assessed: list[Assessed]) -> None:
        """Look up the open groups of alerts that fired, and open those that are missing."""
        wanted: dict[bytes, tuple[Group, Assessed]] = {}
        for one in assessed:
            if one.joins is not None:
                wanted.setdefault(one.joins.key, (one.joins, one))
        if not wanted:
            return
        for group_id, key, flushed_at in fetch(_OPEN, [current_tenant_id(), bytea_array(list(wanted))]):
            delta = self._known(str(group_id), flushed_at)
            self._by_key[bytes(key)] = delta
        missing = sorted(key for key in wanted if key not in self._by_key)
        for key, group_id in zip(missing, new_ids(len(missing)), strict=True):
            group, one = wanted[key]
            delta = Delta(
                id=group_id,
                key="\\x" + key.hex(),
                rule_id=group.rule.id,
                labels=group.labels,
                title=_title(group, one),
                is_new=True,
            )
            self._by_key[key] = self._by_id[group_id] = delta

    def _known(self, group_id: str, flushed_at: datetime | None) -> Delta:
        known = self._by_id.get(group_id)
        if known is None:
            known = self._by_id[group_id] = Delta(id=group_id, flushed_at=flushed_at)
        return known

    def count(self, one: Assessed) -> None:
        """Take one alert into account: move it to the group it joins, and keep the counters of both exact."""
        row, known = one.row, one.known
        before = self._known(known.group_id, known.flushed_at) if known is not None and known.group_id else None
        after = self._by_key[one.joins.key] if one.joins is not None else before
        if after is None:
            return
        row.group_id = after.id
        if before is not None and known is not None and known.state.status == FIRING:
            before.firing -= 1
        if row.status == FIRING:
            after.severity = max(after.severity if after.firing > 0 else 0, row.severity)
            after.firing += 1
        elif after.firing <= 0:
            after.severity = max(after.severity, row.severity)
        if before is not after:
            after.members += 1
            if before is not None:
                before.members -= 1
        _flap(one, before, after)
        for delta in (after, before or after):
            delta.is_touched = delta.is_touched or row.is_changed
            delta.is_news = delta.is_news or one.is_news
        if one.is_news and one.timers is not None:
            self._bring_forward(after, one)

    def _bring_forward(self, delta: Delta, one: Assessed) -> None:
        timers = one.timers
        if timers is None:
            return
        if delta.flushed_at is None:
            due = first_flush(self.now, one.row.starts_at, timers)
        else:
            due = after_change(self.now, delta.flushed_at, timers)
        if delta.due_at is None or due < delta.due_at:
            delta.due_at = due

    def insert_new(self) -> list[Delta]:
        """Write the groups that were opened, with their counters, before the alerts that point at them."""
        new = [delta for delta in self._by_id.values() if delta.is_new]
        if new:
            execute(_INSERT, [current_tenant_id(), as_json(new)])
        return new

    def update_known(self) -> int:
        """Write the counters of groups that were open before, after their alerts."""
        deltas = [delta for delta in self._by_id.values() if delta.is_touched and not delta.is_new]
        if deltas:
            execute(_UPDATE, [as_json(deltas), current_tenant_id()])
        return len(deltas)

    def changes(self) -> list[Delta]:
        """What the batch changes, group by group."""
        return list(self._by_id.values())

    def due(self) -> list[tuple[str, datetime]]:
        """When each group that has news must be looked at."""
        return [(delta.id, delta.due_at) for delta in self._by_id.values() if delta.due_at is not None]


def _flap(one: Assessed, before: Delta | None, after: Delta) -> None:
    if one.row.is_flapping and (one.turned is Turn.STARTED or before is not after):
        after.flaps = True
    elif one.turned is Turn.STOPPED:
        after.flaps = after.flaps or False
    if before is not None and before is not after:
        before.flaps = before.flaps or False


def _title(group: Group, one: Assessed) -> str:
    """The name of the group: what its labels say, or its only alert when they are all of that alert's."""
    name = group.labels.get("alertname") or group.labels.get("name")
    if name is None or len(group.labels) == len(one.row.labels):
        return title_of(dict(one.row.labels), dict(one.annotations))[:MAX_TITLE]
    others = [value for label, value in sorted(group.labels.items()) if label not in ("alertname", "name")]
    return " · ".join([name, *others])[:MAX_TITLE]
