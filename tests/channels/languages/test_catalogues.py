"""The catalogues of all languages say the same things, and templates say nothing but phrases."""

import re
from pathlib import Path

import pytest

from channels.languages import CatalogueError, catalogue, languages
from channels.languages.catalogue import read
from channels.languages.phrase import needed_forms
from channels.languages.wording import FIRING, RESOLVED
from channels.templating import builtin

ROOT = Path(__file__).resolve().parents[3]
OTHERS = sorted({"fr", "de", "es", "it"})
WORDS = re.compile(r"[A-Za-z]{3,}")
#: Keys that code puts together from what an alert holds.
BUILT = ("news.", "status.", "severity.", "reason.", "types.", "buttons.")


def test_there_are_five_languages() -> None:
    assert languages() == ("de", "en", "es", "fr", "it")


@pytest.mark.parametrize("tag", OTHERS)
def test_keys_placeholders_and_plurals_agree_with_english(tag: str) -> None:
    english, other = catalogue("en"), catalogue(tag)
    assert other.keys() == english.keys()
    for key, phrase in other.items():
        assert (key, phrase.names) == (key, english[key].names)
        assert (key, phrase.is_plural) == (key, english[key].is_plural)
        if phrase.is_plural:
            assert (key, set(phrase.forms)) == (key, needed_forms(tag))


@pytest.mark.parametrize("tag", OTHERS)
def test_hardly_a_sentence_is_left_in_english(tag: str) -> None:
    same = {
        key
        for key, phrase in catalogue(tag).items()
        if phrase.forms["other"] == catalogue("en")[key].forms["other"] and WORDS.findall(_bare(phrase.forms["other"]))
    }
    assert same <= {
        "severity.error",
        "types.security.summary.actor",
        "buttons.source",
        "buttons.link",
        "buttons.runbook",
        "labels.heading",
    } | {key for key in same if key.startswith(("types.threshold.brief.", "types.anomaly.brief."))}


def test_french_has_a_space_that_does_not_break_before_its_colons() -> None:
    for key, phrase in catalogue("fr").items():
        for text in phrase.forms.values():
            assert not re.search(r" [:;?!]|[^\s\u00a0\u202f][;?!]", text), key
            assert "'" not in text, key


def test_every_phrase_of_a_type_can_be_said_and_every_said_one_is_there() -> None:
    said = {
        f"types.{kind}.{part}.{key}"
        for table in (FIRING, RESOLVED)
        for kind, parts in table.items()
        for part, choices in parts.items()
        for key, _needs in choices
    }
    assert said == {key for key in catalogue("en") if key.startswith("types.")}


def test_no_phrase_is_kept_for_nothing() -> None:
    sources = [(ROOT / "templates", "*.j2"), (ROOT / "channels", "*.py"), (ROOT / "alerting", "*.py")]
    files = [file for folder, pattern in sources for file in folder.rglob(pattern)]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    unused = {key for key in catalogue("en") if not key.startswith(BUILT) and f'"{key}"' not in source}
    assert unused == set()


@pytest.mark.parametrize(
    "file", sorted(builtin.ROOT.glob("*/*.j2")), ids=lambda file: f"{file.parent.name}-{file.name}"
)
def test_templates_hold_no_words_of_their_own(file: Path) -> None:
    source = re.sub(r"<style>.*?</style>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>|&\w+;", " ", source, flags=re.DOTALL)
    assert WORDS.findall(source) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1]", "a must be a text"),
        ("a: true", "a must be a text"),
        ("a: '{n!r}'", "plain name"),
        ("a: '{x.y}'", "plain name"),
        ("a: '{open'", "braces"),
        ("a: {one: x, other: y, few: z}", "plural forms must be one, other"),
        ("a: 'x\u202ey'", "one line"),
        ("a: ' '", "one line"),
        ("- a", "the file must be"),
        ("a: 'b", "while scanning"),
    ],
)
def test_a_bad_file_is_refused_with_its_key(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=fault):
        read(file, "en")


def _bare(text: str) -> str:
    return re.sub(r"\{\w+\}", "", text)
