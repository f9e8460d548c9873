"""The catalogue says what it should, in five languages alike."""

import re
from pathlib import Path

import msgspec
import pytest
from django.utils import translation

from metrics.catalogue import AREAS, CatalogueError, advice, entries, loading, span, texts, words
from metrics.collectors.base import LABEL_NAME, METRIC_NAME

LANGUAGES = ("en", "fr", "de", "es", "it")
WANTED = {
    "streaming": {"monthly_streams", "skip_rate", "listening_time"},
    "revenue": {"revenue_per_stream", "premium_conversion", "lifetime_value"},
    "engagement": {"playlist_adds", "shares", "interactions"},
    "ai": {"recommendation_precision", "generation_latency", "drift_psi", "drift_ks"},
    "technical": {"latency", "error_rate", "saturation", "queue_depth"},
}


def test_every_area_has_its_metrics() -> None:
    for area, names in WANTED.items():
        assert {f"{area}.{name}" for name in names} <= set(entries())
    assert {one.area for one in entries().values()} == set(AREAS)


def test_every_metric_is_complete() -> None:
    for key, one in entries().items():
        assert METRIC_NAME.fullmatch(one.metric), key
        assert all(LABEL_NAME.fullmatch(label) for label in one.labels), key
        assert one.unit, key
        assert one.thresholds, key
        assert span(one.period).total_seconds() >= 60, key
        assert one.least is None or one.most is None or one.least < one.most, key


def test_names_of_series_are_used_once() -> None:
    names = [one.metric for one in entries().values()]
    assert len(names) == len(set(names))


def test_limits_watch_the_bad_side() -> None:
    for key, one in entries().items():
        for threshold in one.thresholds:
            if threshold.kind in {"static", "comparison", "forecast"}:
                side = {"higher": "below", "lower": "above"}[one.direction]
                assert side in threshold.settings, key


def test_limits_lie_where_values_can_be() -> None:
    for key, one in entries().items():
        for threshold in one.thresholds:
            if threshold.kind == "static":
                limit = threshold.settings.get("above", threshold.settings.get("below"))
                assert one.least is None or limit > one.least, key
                assert one.most is None or limit < one.most, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_all_and_nothing_else(language: str) -> None:
    said = words(language)
    assert list(said.metrics) == list(entries())
    assert list(said.areas) == list(AREAS)
    for key, one in said.metrics.items():
        for field in ("name", "about", "trouble", "action"):
            text = getattr(one, field)
            assert text == text.strip(), (key, field)
            assert text, (key, field)
        assert len(one.name) <= 50, key
        assert all(getattr(one, field).endswith(".") for field in ("about", "trouble", "action")), key


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_hardly_a_text_is_left_in_english(language: str) -> None:
    same = [
        (key, field)
        for key, one in words(language).metrics.items()
        for field in ("about", "trouble", "action")
        if getattr(one, field) == getattr(words("en").metrics[key], field)
    ]
    assert same == []


def test_french_and_italian_write_their_own_apostrophe() -> None:
    for language in ("fr", "it"):
        for key, one in words(language).metrics.items():
            assert "'" not in "".join(msgspec.structs.astuple(one)), (language, key)


def test_french_has_no_mark_that_wants_a_space_before_it() -> None:
    for key, one in words("fr").metrics.items():
        assert not re.search(r"[:;?!]", "".join(msgspec.structs.astuple(one))), key


def test_alerts_of_a_metric_say_what_it_means_and_what_to_look_at() -> None:
    known = texts("technical.latency", "it")
    with translation.override("it"):
        assert advice({"catalogue": "technical.latency"}) == [known.trouble, known.action]
        assert advice({"catalogue": "technical.pigeons"}) == advice({}) == []


def test_an_unknown_language_reads_english() -> None:
    assert texts("technical.latency", "pt") == texts("technical.latency", "en")


@pytest.mark.parametrize(
    "change",
    [
        "  direction: up\n",
        "  pigeon: 1\n",
        "  period: soon\n",
        "  thresholds: [{kind: pigeon}]\n",
        "  thresholds: [{kind: static, settings: {over: x}}]\n",
        "  thresholds: [{kind: static, hold: long}]\n",
        " - broken: [\n",
    ],
)
def test_a_file_that_is_wrong_is_told(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "latency:\n  metric: x\n  unit: s\n  aggregation: mean\n"
    base = {"direction": "  direction: lower\n", "period": "  period: 1m\n"}
    text = good + "".join(line for name, line in base.items() if name not in change) + change
    (tmp_path / "technical.yaml").write_text(text)
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    monkeypatch.setattr(loading, "AREAS", ("technical",))
    with pytest.raises(CatalogueError):
        loading.entries.__wrapped__()
