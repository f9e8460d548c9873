"""The type of an alert decides on its words; the channel on how many of them."""

import pytest

from channels.languages import Voice
from channels.languages.alert_types import AlertType, type_of
from channels.languages.wording import BREVITY, sentence, sentences
from channels.templating import render
from tests.channels.languages.situations import SITUATIONS, alert, situation, told

T = AlertType


@pytest.mark.parametrize(
    ("labels", "annotations", "kind"),
    [
        ({"alert_type": "Anomaly"}, {}, T.ANOMALY),
        ({"category": "siem"}, {"value": "1", "threshold": "2"}, T.SECURITY),
        ({"alert_type": "what", "category": "kpi"}, {}, T.BUSINESS),
        ({}, {"value": "1", "threshold": "2"}, T.THRESHOLD),
        ({"value": "1", "limit": "2"}, {}, T.THRESHOLD),
        ({}, {"value": "1", "lower": "2", "upper": "3"}, T.ANOMALY),
        ({}, {"value": "1", "threshold": "2", "reaches_at": "2026-01-01"}, T.FORECAST),
        ({}, {"value": "1", "expected": "2", "currency": "EUR"}, T.BUSINESS),
        ({"alertname": "CheckoutConversionLow"}, {"value": "1", "threshold": "2"}, T.BUSINESS),
        ({"alertname": "NodeDown"}, {}, T.AVAILABILITY),
        ({"alertname": "X", "metric": "probe_success"}, {}, T.AVAILABILITY),
        ({"alertname": "SSHBruteforce"}, {}, T.SECURITY),
        ({"alertname": "Odd"}, {"source_ip": "203.0.113.7"}, T.SECURITY),
        ({"alertname": "Odd"}, {"actor": "root"}, T.GENERIC),
        ({"alertname": "DiskAlmostFull"}, {}, T.GENERIC),
        ({"alertname": "Upgrade"}, {}, T.GENERIC),
        ({}, {}, T.GENERIC),
    ],
)
def test_the_type_is_said_or_shown_or_named(labels: dict, annotations: dict, kind: AlertType) -> None:
    assert type_of(labels, annotations) is kind


def facts(**annotations: str) -> dict:
    return {"labels": {"alert_type": "threshold", "host": "h"}, "annotations": annotations, "status": "firing"}


def test_only_what_is_known_is_said() -> None:
    voice = Voice("en")
    assert sentence(facts(metric="load"), "title", voice) == ""
    assert sentence(facts(metric="load", value="9", threshold="5"), "title", voice) == "load too high on h: 9"
    assert sentence(facts(metric="load", value="2", threshold="5"), "title", voice) == "load too low on h: 2"
    assert sentence(facts(metric="load", value="2", direction="above"), "summary", voice) == ""


def test_what_the_service_finds_is_said_by_its_kind() -> None:
    def said(kind: str, **annotations: str) -> str:
        labels = {"finding_kind": kind, "threshold": "rule 7", "instance": "db-1"}
        facts = {"metric": "queue", "value": "9", **annotations}
        return sentence({"labels": labels, "annotations": facts, "status": "firing"}, "summary", Voice("en"))

    assert said("static", threshold="5") == "queue is at 9, above the limit of 5."
    assert said("static") == "", "the name of a rule is no limit"
    assert said("rate", threshold="5") == "queue changes by 9; the limit is 5."
    assert said("adaptive", lower="1", upper="4") == "queue is at 9; normal for this hour is 1 to 4."
    assert said("forecast", threshold="20", reaches_at="2026-03-15T04:10:00Z").startswith("queue is at 9 and at this")


def test_each_kind_of_channel_gets_what_it_has_room_for() -> None:
    given = facts(metric="load", value="9", threshold="5", for_seconds="600")
    assert sentences(given, "email", Voice("en")) == [
        "load is at 9, above the limit of 5.",
        "This has lasted for 10 minutes.",
    ]
    assert sentences(given, "slack", Voice("en")) == ["load is at 9, above the limit of 5."]
    assert sentences(given, "sms", Voice("en")) == ["load 9 > 5, h"]
    assert sentences(given, "something new", Voice("en")) == sentences(given, "slack", Voice("en"))
    assert {"slack", "email", "sms", "webhook", "pagerduty"} <= BREVITY.keys()


def test_three_facts_are_said_where_no_metric_is_named() -> None:
    bare = {"labels": {"alertname": "HighLatency"}, "annotations": {"value": "1234.5", "threshold": "1", "unit": "s"}}
    wanted = {
        "en": "20 mins 34 secs, limit 1 sec",
        "fr": "20 min 34 s, seuil 1 s",
        "de": "20 Min. 34 Sek., Grenzwert 1 Sek.",
    }
    for kind in ("slack", "email", "sms", "pagerduty", "webhook", "apprise"):
        for locale, said in wanted.items():
            assert [" ".join(text.split()) for text in sentences(bare, kind, Voice(locale))] == [said]
    money = {"labels": {"category": "business"}, "annotations": {"value": "1234.5", "threshold": "2000", "unit": "EUR"}}
    assert [" ".join(text.split()) for text in sentences(money, "sms", Voice("fr"))] == ["1 234,50 €, seuil 2 000 €"]
    over = bare | {"status": "resolved"}
    assert sentences(over, "slack", Voice("en")) == [], "what is over has no value beyond a limit"
    assert sentences(facts(value="9"), "slack", Voice("en")) == []


def test_a_sender_with_words_of_its_own_keeps_its_title_short() -> None:
    given = alert(labels={"alertname": "Slow"}, annotations={"value": "2", "threshold": "1", "summary": "Slow today"})
    assert render("sms", {}, told("Slow", given)).parts["text"].endswith(": Slow. Slow today")
    given = alert(labels={"alertname": "Slow"}, annotations={"value": "2", "threshold": "1"})
    assert render("sms", {}, told("Slow", given)).parts["text"].endswith(": Slow: 2, limit 1")
    assert render("pagerduty", {}, told("Slow", given)).parts["summary"] == "Slow: 2, limit 1"


def test_the_situations_show_every_type() -> None:
    shown = {type_of(one.labels, one.annotations) for message in SITUATIONS.values() for one in message.alerts}
    assert shown == set(AlertType)


def test_a_fact_cannot_break_out_of_its_sentence() -> None:
    evil = alert(labels={"alertname": "{metric.__class__}<!channel>", "category": "security", "host": "<b>{n}</b>"})
    rendered = render("slack", {}, told("x", evil))
    assert "<!channel>" not in rendered.parts["text"]
    assert "{n}" in rendered.parts["title"]
    assert "<b>{n}" not in render("email", {}, told("x", evil)).parts["html"]


def test_the_title_of_a_group_stays_the_groups() -> None:
    assert "Disk almost full" in render("slack", {}, situation("09-group", "fr")).parts["title"]
