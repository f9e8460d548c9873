"""What the pipeline would make of one alert: its own functions, in its own order, without its writes."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from alerting.configuration import Compiled, compile_configuration
from alerting.deciding import Telling, Verdict
from alerting.decoding import NativeAlert
from alerting.due_groups import DueAlert, DueGroup, firing_number, read_groups, read_sources
from alerting.enrichment import Enriched
from alerting.exclusive import Moment
from alerting.explain.looks import Looking, Witness, look
from alerting.flapping import Flapping
from alerting.grouping import Group
from alerting.models import Alert, AlertGroup, GroupStatus, Timer
from alerting.muting import FiringSources
from alerting.pipeline import alerts
from alerting.pipeline.assess import Assessed, assess, labels_of
from alerting.pipeline.claim import Item, Request
from alerting.pipeline.drain import ceases_to_inhibit
from alerting.pipeline.folding import Folded, fold
from alerting.pipeline.groups import Delta, Groups
from alerting.pipeline.news import FIRING, News, judge
from alerting.rows import new_ids
from alerting.scoring.latest import scorer_of

#: Silences that ended so lately are still told of: they may be the reason for a message.
LATELY: Final = timedelta(days=1)


class Prospect(msgspec.Struct, kw_only=True):
    """All that would follow from one alert that comes in at `moment.now`."""

    moment: Moment
    configuration: Compiled
    alert: NativeAlert
    fingerprint: bytes
    stored: Alert | None
    news: News
    assessed: Assessed
    enriched: Enriched
    #: What is told of it: enriched, or as it is stored where it is no news.
    labels: dict[str, str]
    grouping: Group
    group: AlertGroup | None
    due_group: DueGroup | None
    sources: FiringSources
    #: When the group is looked at next; None when nothing brings a look.
    look_at: datetime | None
    #: Other groups that are looked at again, since with this alert ends what inhibited theirs.
    freed: list[AlertGroup]
    witness: Witness
    verdict: Verdict | None
    #: What the look after that would tell, if nothing happened in between.
    afterwards: Verdict | None

    @property
    def told(self) -> list[Telling]:
        """Whom the next look tells."""
        return self.verdict.tellings if self.verdict is not None and self.look_at is not None else []

    @property
    def decided_at(self) -> datetime:
        """The time mutes and destinations are judged at: that of the look, or now where there is none."""
        return self.moment.now if self.look_at is None else self.look_at


def foresee(alert: NativeAlert, moment: Moment) -> Prospect:
    """Run the decisions of drain and flush over one alert, inside a read-only tenant context."""
    configuration = compile_configuration(msgspec.structs.replace(moment, now=moment.now - LATELY))
    folded = _folded(alert, moment, configuration)
    known = alerts.read_known([folded.fingerprint]).get(folded.fingerprint)
    stored = Alert.objects.filter(fingerprint=folded.fingerprint).first()
    scorer = scorer_of(moment, configuration.scoring)
    assessed = assess(folded, known, configuration, moment.now, known.id if known else new_ids(1)[0], scorer)
    if scorer is not None and assessed.joins is not None:
        scorer.say_what_is_unusual([assessed.row])
    groups = Groups(moment.now)
    groups.find([assessed])
    groups.count(assessed)
    enriched = configuration.chain.apply(labels_of(alert), alert.annotations, moment.now)
    labels = dict(assessed.row.labels if assessed.row.labels is not None or stored is None else stored.labels)
    group_id = assessed.row.group_id or (known.group_id if known else None)
    due_group = _due_group(group_id, groups, assessed, stored, moment)
    sources = _sources(configuration, moment, folded.fingerprint, assessed, labels)
    freed = _freed(assessed)
    look_at = _look_at(group_id, groups, freed, moment)
    looks = look(due_group, look_at, Looking(configuration, sources, moment.now))
    return Prospect(
        moment=moment,
        configuration=configuration,
        alert=alert,
        fingerprint=folded.fingerprint,
        stored=stored,
        news=judge(known.state if known else None, alert),
        assessed=assessed,
        enriched=enriched,
        labels=labels,
        grouping=configuration.grouping.group_of(labels),
        group=None if group_id is None else AlertGroup.objects.filter(pk=group_id).first(),
        due_group=due_group,
        sources=sources,
        look_at=looks.at,
        freed=[one for one in freed if str(one.pk) != group_id],
        witness=looks.witness,
        verdict=looks.verdict,
        afterwards=looks.afterwards,
    )


def _folded(alert: NativeAlert, moment: Moment, configuration: Compiled) -> Folded:
    request = Request(moment.tenant_id, "native", moment.now, b"")
    return fold([Item(alert, moment.now, request, 0)], configuration.ignored_labels)[0]


def _freed(assessed: Assessed) -> list[AlertGroup]:
    """The groups with inhibited alerts, where this alert ceases to inhibit: they are looked at anew."""
    if not ceases_to_inhibit(assessed):
        return []
    muted = Alert.objects.filter(muted_by__contains=[{"kind": "inhibition"}], group__isnull=False)
    return list(AlertGroup.objects.filter(pk__in=muted.values("group_id")).order_by("-changed_at", "-id"))


def _look_at(group_id: str | None, groups: Groups, freed: list[AlertGroup], moment: Moment) -> datetime | None:
    """The earlier of the timer the alert would bring forward and the one that runs already."""
    if group_id is None:
        return None
    times = [*running_timers(moment.tenant_id, UUID(group_id)), *(due for one, due in groups.due() if one == group_id)]
    times += [moment.now for one in freed if str(one.pk) == group_id]
    return max(min(times), moment.now) if times else None


def running_timers(tenant_id: UUID, group_id: UUID) -> list[datetime]:
    """When the timers ring that bring a look at a group: its own, and that of a change of configuration."""
    timers = Timer.objects.filter(tenant_id=tenant_id)
    times = list(timers.filter(kind=Timer.Kind.GROUP, object_id=group_id).values_list("due_at", flat=True))
    if AlertGroup.objects.filter(pk=group_id, flushed_at__isnull=False).exclude(status=GroupStatus.RESOLVED).exists():
        times += timers.filter(kind=Timer.Kind.SETTINGS).values_list("due_at", flat=True)
    return times


def _due_group(
    group_id: str | None, groups: Groups, assessed: Assessed, stored: Alert | None, moment: Moment
) -> DueGroup | None:
    """The group as the flush would read it once the drain had written the alert."""
    if group_id is None:
        return None
    delta = next((one for one in groups.changes() if one.id == group_id), None)
    found = read_groups([UUID(group_id)])
    if found:
        group = found[0]
        group.firing_count += delta.firing if delta else 0
    elif delta is not None:
        group = _new_group(delta, moment)
    else:
        return None
    ours = _due_alert(assessed, stored, moment)
    group.alerts = [one for one in group.alerts if one.fingerprint != ours.fingerprint] + [ours]
    group.alerts.sort(key=lambda one: (-one.severity, one.starts_at, one.id))
    firing = [one.severity for one in group.alerts if one.is_firing]
    group.severity = max(firing, default=group.severity)
    return group


def _new_group(delta: Delta, moment: Moment) -> DueGroup:
    return DueGroup(
        id=UUID(delta.id),
        status="firing",
        severity=delta.severity,
        labels=dict(delta.labels),
        title=delta.title,
        firing_count=delta.firing,
        alert_count=delta.members,
        opened_at=moment.now,
        is_flapping=bool(delta.flaps),
        untold_reason="",
        alerts=[],
        told={},
    )


def _due_alert(assessed: Assessed, stored: Alert | None, moment: Moment) -> DueAlert:
    row = assessed.row
    fingerprint = bytes.fromhex(row.fingerprint[2:])

    def kept(name: str, empty: Any) -> Any:
        written = getattr(row, name)
        return written if written is not None or stored is None else getattr(stored, name)

    return DueAlert(
        UUID(row.id),
        fingerprint,
        firing_number(fingerprint, row.cycle),
        row.status,
        row.severity,
        dict(kept("labels", {}) or {}),
        dict(kept("annotations", {}) or {}),
        row.starts_at,
        None if row.status == FIRING else (row.resolved_at or (stored.resolved_at if stored else moment.now)),
        kept("generator_url", "") or "",
        row.count + (stored.repeat_count if stored else 0),
        Flapping(row.is_flapping, row.changes),
        stored.muted_by if stored else None,
    )


def _sources(
    configuration: Compiled, moment: Moment, fingerprint: bytes, assessed: Assessed, labels: dict[str, str]
) -> FiringSources:
    """The alerts that inhibit once this one has come in. Marks set by other rules than today's are not trusted."""
    if not configuration.inhibitor.rules:
        return FiringSources()
    if moment.inhibitors == configuration.inhibitors:
        firing = dict(read_sources())
    else:
        rows = Alert.objects.filter(status=FIRING).order_by("first_seen_at").values_list("fingerprint", "labels")
        firing = {bytes(identity): found for identity, found in rows.iterator()}
    firing.pop(fingerprint, None)
    if assessed.row.status == FIRING:
        firing[fingerprint] = labels
    return configuration.inhibitor.firing_sources(firing.items())
