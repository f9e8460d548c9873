"""The words of the timeline."""

import pytest
from django.utils import translation

from alerting.admin.timelines import timeline_lines
from alerting.models import ResolvedBecause, TimelineEvent
from alerting.muting import MuteKind
from alerting.needs import Reason
from alerting.rows import new_ids
from alerting.timeline import Event, Kind, Why, kind_title, record, why_title
from tests.alerting.scenes import Scene


def test_every_kind_and_reason_has_words() -> None:
    with translation.override("en"):
        for kind in Kind:
            assert str(kind_title(kind)) != kind.value
        for why in [*Why, *Reason, *MuteKind, *ResolvedBecause.values]:
            assert " " in str(why_title(why)), why


def test_what_is_unknown_is_shown_as_it_is() -> None:
    assert kind_title("of an older version") == "of an older version"
    assert why_title("because") == "because"


@pytest.mark.django_db
def test_events_keep_their_order_and_their_content() -> None:
    scene = Scene()
    data = {"text": "“quotes”, \\ and \n lines", "list": [1, None]}
    with scene.context():
        record([Event(kind=Kind.COMMENT, reason=f"{number:04}") for number in range(300)])
        record([Event(kind=Kind.COMMENT, reason="x" * 100, actor="y" * 300, data=data)])
        found = list(TimelineEvent.objects.order_by("id"))
    assert [event.reason for event in found[:300]] == [f"{number:04}" for number in range(300)]
    assert found[-1].data == data
    assert (len(found[-1].reason), len(found[-1].actor)) == (64, 200)
    assert found[0].data is None


@pytest.mark.django_db
def test_nothing_to_record_costs_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        record([])


@pytest.mark.django_db
def test_what_a_person_did_is_told_without_counts_of_alerts() -> None:
    scene = Scene()
    whom = {"channel": "Ops", "recipient": "#ops"}
    with scene.context(), translation.override("en"):
        group_id = new_ids(1)[0]
        counts = {**whom, "firing": 2, "resolved": 0}
        # In one call: ids of two calls within a millisecond are in no order.
        record(
            [
                Event(kind=Kind.TOLD, group_id=group_id, reason="acknowledged", data=whom),
                Event(kind=Kind.TOLD, group_id=group_id, reason="first", data=counts),
            ]
        )
        lines = timeline_lines(TimelineEvent.objects.order_by("id"))
    assert [line.detail for line in lines] == ["Ops (#ops)", "Ops (#ops) · 2 firing, 0 resolved"]
