"""An alert comes in over HTTP, real processes work on it, and people are told at every way out."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.flows.house import House
from tests.stack import wait_for

pytestmark = pytest.mark.processes


def soon(seconds: float = 3600) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_an_alert_is_told_everywhere_and_so_is_its_end(house: House) -> None:
    answer = house.post("alerts", house.alert())
    assert answer["accepted"] == 1
    house.arrives(house.slack, house.mails, house.hooks)
    assert f"DiskFull of {house.word}" in house.mails()[0]
    (hook,) = house.hooks()
    assert hook["type"] == "alert.notification"
    assert len(house.slack()) == len(house.mails()) == 1

    house.post("alerts", house.alert(status="resolved"))
    house.arrives(lambda: len(house.slack()) > 1, lambda: len(house.mails()) > 1, lambda: len(house.hooks()) > 1)
    assert house.hooks()[1]["data"]["status"] == "resolved"
    assert house.group()["status"] == "resolved"
    assert len(house.slack()) == len(house.mails()) == len(house.hooks()) == 2


def test_alertmanager_s_payload_is_told_alert_by_alert(house: House) -> None:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name, "severity": "critical", "word": house.word},
            "annotations": {"summary": f"{name} of {house.word}"},
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org/graph",
            "fingerprint": f"{number:016x}",
        }
        for number, name in enumerate(("HighLatency", "QueueStuck"))
    ]
    shell: dict[str, Any] = {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "us",
        "groupLabels": {},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": alerts,
    }
    assert house.post("integrations/alertmanager/", shell)["accepted"] == 2
    for name in ("HighLatency", "QueueStuck"):
        house.arrives(
            lambda name=name: house.slack(name),
            lambda name=name: house.mails(name),
            lambda name=name: house.hooks(name),
        )
    shell["status"] = "resolved"
    shell["alerts"] = [{**alerts[0], "status": "resolved", "endsAt": datetime.now(UTC).isoformat()}]
    house.post("integrations/alertmanager/", shell)
    house.arrives(lambda: len(house.hooks("HighLatency")) == 2)
    assert len(house.hooks("QueueStuck")) == 1


def test_a_silence_mutes_and_says_why(house: House) -> None:
    matchers = [{"name": "alertname", "op": "=", "value": "Muted"}]
    house.post("silences", {"matchers": matchers, "ends_at": soon(), "comment": "planned"})
    house.post("alerts", [house.alert("Muted"), house.alert("Loud")])
    house.arrives(lambda: house.slack("Loud"), lambda: house.mails("Loud"), lambda: house.hooks("Loud"))
    wait_for(lambda: any(one["kind"] == "not_told" for one in timeline(house, "Muted")), 10)
    assert not house.slack("Muted")
    assert not house.mails("Muted")
    assert not house.hooks("Muted")
    (silence,) = house.get("silences")["results"]
    (muted,) = [one for one in house.get("alerts")["results"] if one["labels"]["alertname"] == "Muted"]
    assert silence["id"] in str(muted["muted_by"])


def timeline(house: House, name: str) -> list[dict[str, Any]]:
    return list(house.get(f"groups/{house.group(name)['id']}/timeline")["results"])


def test_a_group_is_acknowledged_over_rest(house: House) -> None:
    house.post("alerts", house.alert())
    house.arrives(house.hooks)
    group = house.group()
    said = house.post(f"groups/{group['id']}/acknowledge", {"reason": "I am on it"})
    assert said["status"] == "acknowledged"
    kinds = [(one["kind"], one["actor"]) for one in timeline(house, "DiskFull")]
    assert any(kind == "acknowledged" and actor for kind, actor in kinds)
    # What is new is told all the same.
    house.post("alerts", house.alert(labels={"disk": "sdb"}))
    house.arrives(lambda: len(house.hooks()) == 2)


def test_explain_foretells_who_is_told(house: House) -> None:
    body = {"alert": house.alert()}
    before = house.get("alerts")["results"]
    foretold = house.post("explain", body)
    assert house.get("alerts")["results"] == before == []
    assert not house.slack()
    text = str(foretold)
    assert all(f"{kind} {house.word}" in text for kind in house.channels)
    house.post("alerts", house.alert())
    house.arrives(house.slack, house.mails, house.hooks)
    told = {one["channel"] for one in house.get("deliveries")["results"]}
    assert told == set(house.channels.values())


def test_a_repeated_request_is_answered_again_and_told_once(house: House) -> None:
    first = house.call("POST", "alerts", [house.alert()], Idempotency_Key="k1")
    again = house.call("POST", "alerts", [house.alert()], Idempotency_Key="k1")
    assert first[0] == again[0] == 202
    assert first[1]["id"] == again[1]["id"]
    assert house.call("POST", "alerts", [house.alert("Other")], Idempotency_Key="k1")[0] == 422
    house.arrives(house.slack, house.mails, house.hooks)
    time.sleep(0.5)
    assert len(house.slack()) == len(house.mails()) == len(house.hooks()) == 1
    (alert,) = house.get("alerts")["results"]
    assert alert["labels"]["alertname"] == "DiskFull"


def test_a_template_that_fails_at_send_degrades_the_message_and_no_more(house: House) -> None:
    """It passes every check when it is saved, and breaks on this one alert."""
    parts = {
        "subject": "{{ title }}{% if alerts[0].labels.divisor %} {{ 8 // (alerts[0].labels.divisor | int) }}{% endif %}"
    }
    template = house.post("templates", {"name": "breaks", "kind": "email", "parts": parts})["id"]
    assert house.call("PATCH", f"channels/{house.channels['email']}", {"template": template})[0] == 200
    house.post("alerts", house.alert(labels={"divisor": "0"}))
    house.arrives(house.slack, house.mails, house.hooks)
    assert f"DiskFull of {house.word}" in house.mails()[0]
    (sent,) = [one for one in house.get("deliveries")["results"] if one["channel"] == house.channels["email"]]
    assert (sent["state"], bool(sent["degraded"])) == ("delivered", True)


def test_a_bad_item_costs_its_neighbours_nothing(house: House) -> None:
    said = house.post("alerts", [house.alert("Good"), {"labels": {"alertname": 7}}])
    assert (said["accepted"], said["rejected"]) == (1, 1)
    house.arrives(lambda: house.hooks("Good"))
    assert len(house.get("quarantine")["results"]) == 1


def test_tenants_hear_of_their_own_alerts_only(house: House) -> None:
    other = House(house.stack, house.outside)
    house.post("alerts", house.alert())
    other.post("alerts", other.alert())
    for one in (house, other):
        one.arrives(one.slack, one.mails, one.hooks)
    assert not house.slack(other.word)
    assert not house.mails(other.word)
    assert not house.hooks(other.word)
    assert other.call("GET", f"groups/{house.group()['id']}")[0] == 404
