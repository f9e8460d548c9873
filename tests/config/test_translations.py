"""Every string of pages and API errors is said in each language, with the values the source names."""

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from django.core.management import call_command
from django.utils import translation

from config import translations


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_nothing_in_the_catalogue_is_left_untranslated(language: str) -> None:
    catalogue = translations.read(language)
    assert len(catalogue) > 1_000
    assert translations.untranslated(catalogue) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_translations_name_the_values_of_their_source(language: str) -> None:
    assert translations.mismatches(translations.read(language)) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_what_gettext_reads_is_what_the_catalogue_says(language: str) -> None:
    with translations.po_path(language).with_suffix(".mo").open("rb") as file:
        compiled = _said(read_mo(file))
    assert compiled == _said(translations.read(language))


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Canaux"), ("de", "Kanäle"), ("es", "Canales"), ("it", "Canali"), ("en", "Channels"), ("ja", "Channels")],
)
def test_django_speaks_it(language: str, text: str) -> None:
    with translation.override(language):
        assert translation.gettext("Channels") == text


def test_django_counts_in_it() -> None:
    with translation.override("fr"):
        texts = [translation.ngettext("%(count)d group", "%(count)d groups", n) % {"count": n} for n in (0, 1, 2)]
    assert texts == ["0 groupe", "1 groupe", "2 groupes"]


def test_strings_are_found_in_code_and_on_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "channels").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "channels" / "a.py").write_text(
        '_("one")\nngettext("%(n)d two", "%(n)d twos", 2)\npgettext_lazy("verb", "open")\nprint("no")\n'
    )
    (tmp_path / "templates" / "a.html").write_text(
        '{% load i18n %}<p title="{% translate "three" %}">{{ _("four") }}'
        "{% blocktranslate count n=3 %}a five{% plural %}{{ n }} fives{% endblocktranslate %}"
        "{% blocktranslate trimmed with who=a.b %}\n  by\n  {{ who }} (six)\n{% endblocktranslate %}</p>"
    )
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "LOCALE", tmp_path / "locale")
    assert translations.refresh() == {"en": 0, "fr": 7, "de": 7, "es": 7, "it": 7}
    found = {(message.id, message.context) for message in translations.read("fr") if message.id}
    assert found == {
        ("one", None),
        (("%(n)d two", "%(n)d twos"), None),
        ("open", "verb"),
        ("three", None),
        ("four", None),
        (("a five", "%(n)s fives"), None),
        ("by %(who)s (six)", None),
    }
    before = translations.po_path("fr").read_bytes()
    call_command("messages", verbosity=0)
    assert translations.po_path("fr").read_bytes() == before


def test_a_translation_with_other_values_is_found() -> None:
    catalogue = translations.read("fr")
    catalogue.add("%(a)s and {b}", "%(a)s et {c}")
    catalogue.add("fine %(a)s", "bien %(a)s")
    assert translations.mismatches(catalogue) == ["%(a)s and {b}"]


def _key(message: object) -> tuple[str, str | None]:
    ids = message.id  # type: ignore[attr-defined]
    # Babel reads contexts of compiled catalogues as bytes.
    context = message.context  # type: ignore[attr-defined]
    said = context.decode() if isinstance(context, bytes) else context
    return (ids if isinstance(ids, str) else ids[0]), said or None


def _said(messages: object) -> dict[tuple[str, str | None], tuple[str, ...]]:
    return {
        _key(message): (message.string,) if isinstance(message.string, str) else tuple(message.string)
        for message in messages  # type: ignore[attr-defined]
        if message.id
    }
