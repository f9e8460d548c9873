"""The messages that would go out, as each channel would get them."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerting.deciding import Telling
from alerting.explain.prospect import Prospect
from alerting.explain.story import Detail, Rendered, Step, StepKind, Verdict
from alerting.messages import message_for
from channels import registry
from channels.languages.readers import Audience, audience
from channels.models import Channel
from channels.templating import preview

#: Each tenant's template is rendered in a process of its own, so their number is bounded.
MAX_MESSAGES: Final = 10


def messages(prospect: Prospect) -> list[Rendered]:
    """One message for each channel that is told, drawn for its first recipient."""
    first: dict[UUID, Telling] = {}
    for telling in prospect.told:
        first.setdefault(telling.destination.id, telling)
    rows = Channel.objects.select_related("template").in_bulk(list(first)[:MAX_MESSAGES])
    known = {key: first[key] for key in first if key in rows and _is_known(rows[key].kind)}
    readers = audience(telling.recipient for telling in known.values())
    return [_rendered(telling, rows[key], prospect, readers) for key, telling in known.items()]


def _is_known(kind: str) -> bool:
    return kind in registry.kinds()


def _rendered(telling: Telling, channel: Channel, prospect: Prospect, readers: Audience) -> Rendered:
    assert prospect.due_group is not None  # noqa: S101  nobody is told about no group
    moment = msgspec.structs.replace(prospect.moment, now=prospect.decided_at)
    message = message_for(telling, prospect.due_group, moment, prospect.configuration.windows)
    message = readers.address(message, telling.recipient, channel.locale, channel.time_zone)
    with translation.override(message.locale):
        drawn = preview(channel.kind, channel.template.parts if channel.template else {}, message)
    problems = tuple(
        _("%(part)s, line %(line)d: %(problem)s") % {"part": part, "line": one.line, "problem": one}
        for part, found in drawn.problems.items()
        for one in found
    )
    types = {part: str(kind) for part, kind in registry.adapter(channel.kind).parts.items()}
    return Rendered(
        channel_id=channel.pk,
        channel=channel.name,
        kind=channel.kind,
        recipient=telling.recipient,
        locale=message.locale,
        # A layout is a plan for the channel's own program; people see what it makes of it in the drawing.
        parts={part: text for part, text in drawn.parts.items() if types.get(part) != "blocks"},
        types={part: kind for part, kind in types.items() if kind != "blocks"},
        problems=problems,
        drawing=drawn.drawing,
    )


def step(rendered: Iterable[Rendered]) -> Step | None:
    """The step of messages; None where there are none."""
    found = list(rendered)
    if not found:
        return None
    bad = [one for one in found if one.problems]
    sentence = ngettext("This is what %(count)d channel gets.", "This is what %(count)d channels get.", len(found))
    sentence %= {"count": len(found)}
    if bad:
        sentence += " " + _("A template has a fault; the built-in text goes out in its place.")
    details = tuple(
        Detail(
            verdict=Verdict.FAULT,
            code="degraded",
            subject="channel",
            id=one.channel_id,
            name=one.channel,
            sentence=f"{one.channel}: {problem}",
        )
        for one in bad
        for problem in one.problems
    )
    verdict = Verdict.FAULT if bad else Verdict.PASSED
    return Step(kind=StepKind.MESSAGES, verdict=verdict, title=_("What they read"), sentence=sentence, details=details)
