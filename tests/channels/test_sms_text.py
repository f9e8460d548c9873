"""How texts become segments: counted against an independent count, fitted without losing what matters."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.sms.composing import long_id, short_id
from channels.sms.fitting import fit, fold
from channels.sms.quiet import quiet_until
from channels.sms.segments import BASIC, EXTENSION, Encoding, cut, measure
from tests.fakes.twilio import count_segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", Encoding.GSM7, 0, 0),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        # An escape that would be parted moves to the next segment whole: 152 and a pair, not 153.
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM7, 306, 3),
        ("ê" * 70, Encoding.UCS2, 70, 1),
        ("ê" * 71, Encoding.UCS2, 71, 2),
        ("\U0001f525" * 35, Encoding.UCS2, 70, 1),
        ("\U0001f525" * 67, Encoding.UCS2, 134, 3),
        ("@_\n", Encoding.GSM7, 3, 1),
    ],
)
def test_the_size_of_a_text(text: str, encoding: Encoding, units: int, segments: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


def test_the_alphabet_has_127_places_and_ten_more() -> None:
    # 128 places less the escape itself.
    assert (len(BASIC), len(EXTENSION)) == (127, 10)


@given(st.text(max_size=400), st.text(max_size=60), st.integers(1, 3))
@example("x" * 200, "https://a.example.com/g/AZLA3gAAcACAAAAAAAAAAg [12345]", 1)
@example("[" * 200, "[12345]", 1)
@example("\U0001f525" * 100, "", 2)
def test_whatever_is_said_fits(text: str, ending: str, segments: int) -> None:
    fitted = fit(text, ending, segments)
    assert fitted.segments <= segments
    assert count_segments(fitted.text) <= segments or not fitted.text
    assert fitted.is_shortened == ("..." in fitted.text or "\u2026" in fitted.text) or not fitted.is_shortened


def test_typography_costs_nothing() -> None:
    fitted = fit("\u201cDisk\u201d is 96\u202f% full \u2014 it\u2019s late\u2026", "[12345]")
    assert fitted.text == '"Disk" is 96 % full - it\'s late... [12345]'
    assert fitted.encoding is Encoding.GSM7


def test_accents_stay_where_one_segment_holds_them_and_give_way_before_words_do() -> None:
    short = fit("Forêt près du château")
    assert (short.text, short.encoding) == ("Forêt près du château", Encoding.UCS2)
    long = fit("Forêt près du château: " + "le disque est plein, " * 4)
    assert long.encoding is Encoding.GSM7
    assert long.segments == 1
    assert long.text.startswith("Foret près du chateau: le disque")
    assert not long.is_shortened


def test_a_script_that_gsm_cannot_spell_stays_and_is_shortened() -> None:
    fitted = fit("Диск почти заполнен " * 8, "[12345]")
    assert (fitted.encoding, fitted.segments, fitted.is_shortened) == (Encoding.UCS2, 1, True)
    assert fitted.text.startswith("Диск почти заполнен")
    assert fitted.text.endswith("\u2026 [12345]")
    assert fold("Диск") is None
    assert fold("\U0001f525 Ω fire ê") == "Ω fire e"


def test_words_are_cut_and_the_link_is_whole() -> None:
    link = "https://a.example.com/g/AZLA3gAAcACAAAAAAAAAAg"
    fitted = fit("word " * 60, f"{link} [12345]")
    assert fitted.text.endswith(f"... {link} [12345]")
    assert measure(fitted.text).units <= 160
    assert fit("word " * 60, "x" * 150).text.endswith("...")


def test_a_cut_never_parts_a_pair() -> None:
    assert cut("a€b", Encoding.GSM7, 2) == "a"
    assert cut("\U0001f525x", Encoding.UCS2, 1) == ""


@given(st.uuids())
def test_a_short_id_is_the_same_id(group_id) -> None:
    assert long_id(short_id(group_id)) == group_id
    assert len(short_id(group_id)) == 22


@pytest.mark.parametrize("text", ["", "x", "A" * 23, "!" * 22, "A" * 21 + "B", "é" * 22])
def test_what_is_no_short_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        long_id(text)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ("", "UTC", "2026-01-05T23:00", None),
        ("22:00-07:00", "UTC", "2026-01-05T21:59", None),
        ("22:00-07:00", "UTC", "2026-01-05T22:00", "2026-01-06T07:00"),
        ("22:00-07:00", "UTC", "2026-01-06T06:59", "2026-01-06T07:00"),
        ("22:00-07:00", "UTC", "2026-01-06T07:00", None),
        ("12:00-14:00", "Europe/Paris", "2026-01-06T11:30", "2026-01-06T13:00"),
        ("22:00-07:00", "Europe/Paris", "2026-01-05T21:30", "2026-01-06T06:00"),
        # The clocks of Paris go forward at 01:00 UTC on 29 March: the night is an hour shorter.
        ("22:00-07:00", "Europe/Paris", "2026-03-28T22:00", "2026-03-29T05:00"),
        # And back on 25 October: an hour longer.
        ("22:00-07:00", "Europe/Paris", "2026-10-24T22:00", "2026-10-25T06:00"),
        ("22:00-07:00", "Australia/Lord_Howe", "2026-01-05T12:00", "2026-01-05T20:00"),
        ("22:00-07:00", "No/Where", "2026-01-05T23:00", "2026-01-06T07:00"),
    ],
)
def test_quiet_hours_are_the_readers(hours: str, zone: str, now: str, until: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert quiet_until(hours, zone, at) == expected
