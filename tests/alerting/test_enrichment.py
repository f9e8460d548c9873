"""Enrichment: each kind, settings that explain what is wrong, and limits that hold whatever is configured."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.decoding import limits
from alerting.enrichment import Chain, StepError, StepRow, compile_step, kinds
from alerting.enrichment.base import Changes, changed, within_limits
from alerting.matchers import parse

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday


def apply(kind: str, settings: dict, labels: dict[str, str], annotations: dict | None = None, now: datetime = NOON):
    return compile_step(kind, settings, "Europe/Paris").apply(labels, annotations or {}, now)


def row(number: int, kind: str, settings: dict, matchers: str = "") -> StepRow:
    return StepRow(id=UUID(int=number), name=f"e{number}", kind=kind, matchers=parse(matchers), settings=settings)


def test_every_kind_has_words_for_people_and_an_example_that_works():
    for kind, step in kinds().items():
        assert str(step.title)
        assert str(step.help)
        assert isinstance(compile_step(kind, step.example, "UTC"), step)


def test_an_unknown_kind_names_those_there_are():
    with pytest.raises(StepError, match="static, extract"):
        compile_step("magic", {}, "UTC")


def test_static_labels_keep_what_the_sender_said_unless_told_to_overwrite():
    settings = {"labels": {"team": "a", "region": "eu"}}
    assert apply("static", settings, {"team": "b"}).labels == {"region": "eu"}
    assert apply("static", settings | {"overwrite": True}, {"team": "b"}).labels == {"team": "a", "region": "eu"}
    assert not apply("static", settings, {"team": "b", "region": "us"})


def test_named_groups_become_labels():
    settings = {"source": "instance", "pattern": r"^(?P<host>[a-z0-9-]+)\.(?P<zone>[a-z]+):[0-9]+$"}
    for _again in range(2):
        assert apply("extract", settings, {"instance": "web-1.eu:9100"}).labels == {"host": "web-1", "zone": "eu"}
        assert not apply("extract", settings, {"instance": "elsewhere"})
        assert not apply("extract", settings, {})


def test_templates_rewrite_and_a_label_can_be_renamed():
    settings = {"source": "svc", "pattern": "(?P<all>.*)", "labels": {"service": "x-${all}"}, "remove": True}
    assert apply("extract", settings, {"svc": "shop"}).labels == {"service": "x-shop", "svc": None}


def test_an_annotation_can_be_the_source():
    settings = {"source": "annotation:summary", "pattern": "disk (?P<disk>[a-z0-9]+)"}
    assert apply("extract", settings, {}, {"summary": "disk sda1 is full"}).labels == {"disk": "sda1"}


def test_a_table_gives_labels_by_several_keys():
    rows = [{"key": ["shop", "prod"], "labels": {"team": "a"}, "annotations": {"phone": "1"}}]
    settings = {"keys": ["service", "env"], "rows": rows}
    found = apply("lookup", settings, {"service": "shop", "env": "prod"})
    assert (found.labels, found.annotations) == ({"team": "a"}, {"phone": "1"})
    assert not apply("lookup", settings, {"service": "shop"})


def test_the_first_rule_that_matches_names_owner_and_runbook():
    rules = [
        {"matchers": [{"name": "team", "value": "a"}], "owner": "anna", "runbook": "https://runbooks.example/a"},
        {"owner": "everybody"},
    ]
    found = apply("ownership", {"rules": rules}, {"team": "a"})
    assert (found.labels, found.annotations) == ({"owner": "anna"}, {"runbook_url": "https://runbooks.example/a"})
    assert apply("ownership", {"rules": rules}, {"team": "b"}).labels == {"owner": "everybody"}


@pytest.mark.parametrize(
    ("when", "inside"),
    [
        ("2026-03-04T08:00", "yes"),  # 09:00 in Paris
        ("2026-03-04T07:59", "no"),
        ("2026-03-04T16:59", "yes"),
        ("2026-03-04T17:00", "no"),
        ("2026-07-01T07:00", "yes"),  # summer time
        ("2026-03-07T12:00", "no"),  # Saturday
        ("2026-03-05T12:00", "no"),  # holiday
    ],
)
def test_business_hours_run_on_the_tenants_wall_clock(when, inside):
    settings = {"from": "09:00", "to": "18:00", "holidays": ["2026-03-05"]}
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert apply("business_hours", settings, {}, now=now).labels == {"business_hours": inside}


@pytest.mark.parametrize(
    ("when", "inside"), [("06T23:00", "y"), ("07T03:00", "y"), ("07T23:00", "n"), ("06T03:00", "n")]
)
def test_hours_over_midnight_belong_to_the_day_they_begin_on(when, inside):
    settings = {"weekdays": ["fri"], "from": "22:00", "to": "06:00", "time_zone": "UTC", "inside": "y", "outside": "n"}
    now = datetime.fromisoformat(f"2026-03-{when}").replace(tzinfo=UTC)
    assert apply("business_hours", settings, {}, now=now).labels == {"business_hours": inside}


@pytest.mark.parametrize(
    ("kind", "settings", "field"),
    [
        ("static", [], ""),
        ("static", {}, "labels"),
        ("static", {"labels": {"a b": "c"}}, "labels/a b"),
        ("static", {"labels": {"a": "c" * 1025}}, "labels/a"),
        ("static", {"labels": {"a": 1}}, "labels/a"),
        ("static", {"labels": {"a": "b"}, "overwrite": "yes"}, "overwrite"),
        ("static", {"label": {"a": "b"}}, "label"),
        ("extract", {"pattern": "(?P<a>x)"}, "source"),
        ("extract", {"source": "a", "pattern": "x"}, "pattern"),
        ("extract", {"source": "a", "pattern": "(?=x)"}, "pattern"),
        ("extract", {"source": "a"}, "pattern"),
        ("extract", {"source": "a", "pattern": "(?P<b>x)", "labels": {"c": "${d}"}}, "labels/c"),
        ("extract", {"source": "annotation:a", "pattern": "(?P<b>x)", "remove": True}, "remove"),
        ("lookup", {"keys": [], "rows": []}, "keys"),
        ("lookup", {"keys": ["a", "a"], "rows": []}, "keys"),
        ("lookup", {"keys": ["a"], "rows": []}, "rows"),
        ("lookup", {"keys": ["a"], "rows": [{"key": ["x", "y"]}]}, "rows/0/key"),
        ("lookup", {"keys": ["a"], "rows": [{"key": "x"}, {"key": ["x"]}]}, "rows/1/key"),
        ("lookup", {"keys": ["a"], "rows": [{"key": "x", "labels": {"": "b"}}]}, "rows/0/labels/"),
        ("ownership", {"rules": []}, "rules"),
        ("ownership", {"rules": [{"owner": ""}]}, "rules/0/owner"),
        ("ownership", {"rules": [{"runbook": "javascript:alert(1)"}]}, "rules/0/runbook"),
        ("ownership", {"rules": [{"owner": "a", "matchers": [{"name": ""}]}]}, "rules/0/matchers/0/name"),
        ("business_hours", {"from": "25:00"}, "from"),
        ("business_hours", {"from": "09:00", "to": "09:00"}, "to"),
        ("business_hours", {"weekdays": ["funday"]}, "weekdays"),
        ("business_hours", {"weekdays": [[]]}, "weekdays"),
        ("business_hours", {"time_zone": "Nowhere"}, "time_zone"),
        ("business_hours", {"holidays": ["soon"]}, "holidays"),
        ("business_hours", {"inside": ""}, "inside"),
    ],
)
def test_settings_that_are_wrong_name_the_field(kind, settings, field):
    with pytest.raises(StepError) as refused:
        compile_step(kind, settings, "UTC")
    assert refused.value.field.rstrip("/") == field.rstrip("/")
    assert refused.value.message.endswith(".")


def test_a_later_step_sees_what_an_earlier_one_wrote():
    chain = Chain(
        [
            row(1, "static", {"labels": {"team": "a"}}),
            row(2, "static", {"labels": {"owner": "anna"}}, "team=a"),
            row(3, "static", {"labels": {"never": "x"}}, "team=b"),
        ],
        "UTC",
    )
    labels = {"alertname": "Down"}
    enriched = chain.apply(labels, {}, NOON)
    assert enriched.labels == {"alertname": "Down", "team": "a", "owner": "anna"}
    assert [(one.name, one.changes.labels) for one in enriched.applied] == [
        ("e1", {"team": "a"}),
        ("e2", {"owner": "anna"}),
    ]
    assert labels == {"alertname": "Down"}


def test_a_step_whose_matcher_no_longer_holds_is_left_out():
    chain = Chain(
        [
            row(1, "static", {"labels": {"team": "a"}, "overwrite": True}),
            row(2, "static", {"labels": {"x": "y"}}, "team=b"),
        ],
        "UTC",
    )
    assert chain.apply({"team": "b"}, {}, NOON).labels == {"team": "a"}


def test_a_step_that_no_longer_compiles_does_not_stop_the_others():
    chain = Chain([row(1, "gone", {}), row(2, "static", {"labels": {"a": "b"}})], "UTC")
    assert chain.apply({}, {}, NOON).labels == {"a": "b"}
    [(broken, error)] = chain.broken
    assert (broken.name, error.field) == ("e1", "kind")


def test_each_step_is_timed():
    ticks = iter(range(100))
    chain = Chain([row(1, "static", {"labels": {"a": "b"}})], "UTC", clock=lambda: float(next(ticks)))
    chain.apply({}, {}, NOON)
    chain.apply({}, {}, NOON)
    assert chain.take_timings() == {UUID(int=1): (2, 2.0)}
    assert chain.take_timings() == {}


def test_what_would_break_a_limit_is_left_out_and_said():
    full = {f"l{number}": "x" for number in range(limits.MAX_LABELS)}
    chain = Chain([row(1, "static", {"labels": {"one": "more"}})], "UTC")
    enriched = chain.apply(full, {}, NOON)
    assert enriched.labels == full
    assert "no room for one" in enriched.applied[0].changes.refused[0]
    long = {"source": "a", "pattern": "(?P<x>.*)", "labels": {"b": "${x}${x}"}}
    enriched = Chain([row(1, "extract", long)], "UTC").apply({"a": "v" * 600}, {}, NOON)
    assert enriched.labels == {"a": "v" * 600}
    assert "longer than 1024" in enriched.applied[0].changes.refused[0]


names = st.sampled_from([f"n{number}" for number in range(80)])
values = st.sampled_from(["a", "b", "v" * 1024, "v" * 1025])


@given(
    st.dictionaries(names, st.sampled_from("ab"), max_size=64),
    st.dictionaries(names, st.one_of(st.none(), values), max_size=80),
)
def test_no_change_breaks_the_limits(labels, changes):
    kept = within_limits(labels, {}, Changes(changes))
    after = changed(labels, kept.labels)
    assert len(after) <= limits.MAX_LABELS
    assert all(len(value) <= limits.MAX_LABEL_VALUE for value in after.values())
    assert len(kept.labels) + len(kept.refused) == len(changes)
