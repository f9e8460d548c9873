"""A voice finds a phrase in every case, and writes numbers and times as its reader does."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.languages import TenantWords, Voice
from channels.languages.book import LAST_RESORT
from channels.languages.measures import FALLBACKS

NOW = datetime(2026, 3, 14, 2, 41, tzinfo=UTC)
NARROW, HARD = "\u202f", "\u00a0"


def counted(level: str) -> float:
    return FALLBACKS.labels(level=level)._value.get()


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [
        ("en", 1, "1 alert"),
        ("en", 0, "0 alerts"),
        ("en", 1200, "1,200 alerts"),
        ("fr", 0, "0 alerte"),
        ("fr", 1, "1 alerte"),
        ("fr", 1.5, "1,5 alerte"),
        ("fr", 1200, f"1{NARROW}200 alertes"),
        ("fr", 1_000_000, f"1{NARROW}000{NARROW}000 d’alertes"),
        ("de", 1200, "1.200 Alarme"),
        ("es", 1, "1 alerta"),
        ("es", 1_000_000, "1.000.000 de alertas"),
        ("it", 2, "2 allarmi"),
    ],
)
def test_plurals_are_those_of_the_language(locale: str, count: float, text: str) -> None:
    assert Voice(locale).t("counts.alerts", n=count) == text


@pytest.mark.parametrize("locale", ["fr-CA", "fr_CA", "fr-FR", "FR", "fr-ZZ"])
def test_a_region_falls_back_to_its_language(locale: str) -> None:
    assert Voice(locale).t("status.resolved") == "résolu"


@pytest.mark.parametrize("locale", ["", "ja", "xx", "no such thing", "../../etc"])
def test_a_language_we_lack_falls_back_to_the_tenants_and_then_to_english(locale: str) -> None:
    assert Voice(locale, words=TenantWords("de")).t("status.resolved") == "behoben"
    assert Voice(locale).t("status.resolved") == "resolved"


def test_a_fallback_is_counted_by_its_level() -> None:
    before = counted("tenant_default"), counted("english")
    Voice("ja", words=TenantWords("de")).t("status.firing")
    Voice("ja").t("status.firing")
    assert (counted("tenant_default"), counted("english")) == (before[0] + 1, before[1] + 1)


def test_a_raw_key_is_never_shown() -> None:
    before = counted("missing")
    assert Voice("fr").t("no.such.phrase", n=3) == LAST_RESORT.forms["other"]
    assert counted("missing") == before + 1


def test_a_missing_value_leaves_a_dash() -> None:
    assert Voice("en").t("footer.sent_by") == "Sent by –"


WORDS = TenantWords(
    "de",
    {
        "fr": {"status.firing": "ça brûle", "counts.alerts.one": "{n} souci", "counts.alerts.other": "{n} soucis"},
        "fr-CA": {"status.resolved": "réglé"},
        "en": {"status.firing": "on fire"},
        "de": {"footer.sent_by": "{unknown}", "status.silenced": "x\ny", "no.such": "x"},
    },
)


@pytest.mark.parametrize(
    ("locale", "key", "text"),
    [
        ("fr", "status.firing", "ça brûle"),
        ("fr-CA", "status.firing", "ça brûle"),
        ("fr-CA", "status.resolved", "réglé"),
        ("fr", "status.resolved", "résolu"),
        ("es", "status.firing", "activa"),
        ("en", "status.firing", "on fire"),
        ("ja", "status.firing", "aktiv"),
    ],
)
def test_the_tenants_words_go_first_in_their_language(locale: str, key: str, text: str) -> None:
    assert Voice(locale, words=WORDS).t(key) == text


def test_one_plural_form_may_be_replaced_alone() -> None:
    voice = Voice("fr", words=WORDS)
    assert [voice.t("counts.alerts", n=n) for n in (1, 5)] == ["1 souci", "5 soucis"]
    assert "d’alertes" in voice.t("counts.alerts", n=1_000_000)


def test_words_that_no_longer_fit_are_passed_over() -> None:
    voice = Voice("de", words=WORDS)
    assert voice.t("footer.sent_by", tenant="ACME") == "Gesendet von ACME"
    assert voice.t("status.silenced") == "stummgeschaltet"


@pytest.mark.parametrize(
    ("locale", "zone", "style", "text"),
    [
        ("en", "Europe/Paris", "full", "14 Mar 2026, 03:41 CET"),
        ("en-US", "America/New_York", "full", f"Mar 13, 2026, 10:41{HARD}PM EDT"),
        ("fr", "Europe/Paris", "full", "14 mars 2026, 03:41 CET"),
        ("fr-CA", "America/Toronto", "time", f"22{HARD}h{HARD}41 EDT"),
        ("de", "Europe/Berlin", "date", "14.03.2026"),
        ("es", "America/Bogota", "full", "13 mar 2026, 21:41 UTC-05"),
        ("it", "Nowhere/At_All", "full", "14 mar 2026, 02:41 UTC"),
    ],
)
def test_times_are_written_as_in_the_place(locale: str, zone: str, style: str, text: str) -> None:
    written = Voice(locale, zone, NOW).when(NOW.isoformat(), style)
    assert written.replace(" h ", f"{HARD}h{HARD}") == text.replace(" h ", f"{HARD}h{HARD}")


def test_the_day_is_left_out_only_when_it_is_the_day_of_the_message() -> None:
    voice = Voice("en", "Europe/Paris", NOW)
    assert voice.when((NOW - timedelta(hours=3)).isoformat()) == "00:41 CET"
    assert voice.when((NOW - timedelta(hours=4)).isoformat()) == "13 Mar 2026, 23:41 CET"
    assert voice.when("no time") == ""


@pytest.mark.parametrize(
    ("locale", "seconds", "text"),
    [
        ("en", 6 * 60, "6 minutes ago"),
        ("en", 90 * 60, "90 minutes ago"),
        ("en", -7_200, "in 2 hours"),
        ("fr", 6 * 60, "il y a 6 minutes"),
        ("de", 3 * 86_400, "vor 3 Tagen"),
        ("es", 2, "hace 2 segundos"),
        ("it", 400 * 86_400, "400 giorni fa"),
    ],
)
def test_how_long_ago_is_said_as_people_say_it(locale: str, seconds: float, text: str) -> None:
    assert Voice(locale, now=NOW).ago((NOW - timedelta(seconds=seconds)).isoformat()) == text


@pytest.mark.parametrize(
    ("locale", "value", "unit", "text"),
    [
        ("fr", "96.4", "%", f"96,4{HARD}%"),
        ("de", 0.9314, "ratio", f"93,14{HARD}%"),
        ("en", "99.95", "percent", "99.95%"),
        ("fr", 15e9, "bytes", f"15{NARROW}Go"),
        ("en", 0.23, "s", "230 ms"),
        ("en", 5400, "s", f"1 hr{HARD}30 mins"),
        ("de", "1234.5", "eur", f"1.234,50{HARD}€"),
        ("en", 1234, "usd", "US$1,234"),
        ("it", 1234.5, "req/s", "1.234,5 req/s"),
        ("en", "many", "req/s", "many"),
        ("en", "1e400", "%", "1e400"),
        ("en", True, "%", "True"),
    ],
)
def test_measured_values_carry_their_unit(locale: str, value: object, unit: str, text: str) -> None:
    assert Voice(locale).unit(value, unit) == text
