"""Alertmanager's webhook payload, version 4."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerting.decoding import Decoded, Flag, InputRefused, decode_alertmanager, decoder, sources

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "Down", "severity": "page", "instance": "db-1"},
        "annotations": {"summary": "db-1 is down"},
        "startsAt": "2026-11-20T11:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0",
        "fingerprint": "3aa2f9d2a1e4b6c7",
        **changes,
    }


def payload(*alerts: dict[str, Any], **changes: Any) -> bytes:
    document = {
        "version": "4",
        "groupKey": '{}:{alertname="Down"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "us",
        "groupLabels": {"alertname": "Down"},
        "commonLabels": {"alertname": "Down"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **changes,
    }
    return json.dumps(document).encode()


def decode(*alerts: dict[str, Any], **changes: Any) -> Decoded:
    return decode_alertmanager(payload(*alerts, **changes), NOW)


def test_an_alert_becomes_native() -> None:
    native = decode(alert()).alerts[0]
    assert native.labels["alertname"] == "Down"
    assert native.severity == 40
    assert native.starts_at == datetime(2026, 11, 20, 11, 0, 0, 123457, tzinfo=UTC)
    assert native.ends_at is None
    assert native.flags == 0


def test_status_is_that_of_the_alert_not_of_the_group() -> None:
    resolved = alert(status="resolved", endsAt="2026-11-23T11:59:00Z")
    assert [native.status for native in decode(alert(), resolved).alerts] == ["firing", "resolved"]


def test_fields_of_other_versions_are_passed_over() -> None:
    decoded = decode(alert(silenceURL="http://x", values={"A": 1}), orgId=1, title="t")
    assert len(decoded.alerts) == 1
    assert not decoded.rejected


def test_a_link_nobody_can_follow_is_dropped_not_the_alert() -> None:
    native = decode(alert(generatorURL="javascript:alert(1)")).alerts[0]
    assert (native.generator_url, native.flags) == (None, Flag.URL_DROPPED)
    assert decode(alert(generatorURL="")).alerts[0].flags == 0


def test_an_unknown_severity_is_a_flagged_warning() -> None:
    native = decode(alert(labels={"alertname": "x", "severity": "purple"})).alerts[0]
    assert (native.severity, native.flags) == (20, Flag.SEVERITY_UNKNOWN)


def test_a_faulty_alert_does_not_cost_its_neighbours() -> None:
    decoded = decode(alert(), alert(labels={}), alert(startsAt="soon"), alert(labels={"a b": "c"}), alert())
    assert len(decoded.alerts) == 2
    assert [(fault.index, fault.pointer, fault.code) for fault in decoded.rejected] == [
        (1, "/alerts/1/labels", "empty"),
        (2, "/alerts/2/startsAt", "bad_time"),
        (3, "/alerts/3/labels/a b", "bad_name"),
    ]


def test_far_times_are_moved() -> None:
    native = decode(alert(startsAt="2099-01-01T00:00:00Z")).alerts[0]
    assert (native.starts_at, native.flags) == (NOW + timedelta(minutes=5), Flag.TIME_CLAMPED)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (payload(alert(), version="3"), "unknown_value", "/version"),
        (payload(alert(), version=None), "unknown_value", "/version"),
        (payload(alert(), alerts={}), "required", "/alerts"),
        (b'{"version":"4"}', "required", "/alerts"),
        (b'{"version":"4","version":"4","alerts":[{"labels":{"a":"b"}}]}', "duplicate_key", "/version"),
    ],
)
def test_a_faulty_envelope_is_refused(body: bytes, code: str, pointer: str) -> None:
    with pytest.raises(InputRefused) as refused:
        decode_alertmanager(body, NOW)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert refused.value.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "type"),
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (payload(), "empty"),
        (b"[" * 9000, "too_deep"),
        (payload(alert())[:-1] + b"\xff}", "not_utf8"),
    ],
)
def test_no_payload_at_all_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        decode_alertmanager(body, NOW)
    assert refused.value.code == code


def test_a_repeated_key_inside_one_alert_is_its_own_fault() -> None:
    body = b'{"version":"4","alerts":[{"labels":{"a":"1","a":"2"}},{"labels":{"a":"1"}}]}'
    decoded = decode_alertmanager(body, NOW)
    assert len(decoded.alerts) == 1
    assert decoded.rejected[0].pointer == "/alerts/0/labels/a"


def test_half_a_surrogate_in_one_alert_is_its_own_fault() -> None:
    decoded = decode(alert(labels={"a": "\ud800"}), alert())
    assert [native.labels["alertname"] for native in decoded.alerts] == ["Down"]
    assert (decoded.rejected[0].index, decoded.rejected[0].code) == (0, "lone_surrogate")


def test_half_a_surrogate_in_the_envelope_refuses_it() -> None:
    with pytest.raises(InputRefused) as refused:
        decode(alert(), receiver="\udfff")
    assert refused.value.errors[0].pointer == "/receiver"


def test_sources_are_found_by_name() -> None:
    assert set(sources()) == {"native", "alertmanager"}
    assert decoder("alertmanager") is decode_alertmanager
