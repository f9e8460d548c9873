"""Every message goes out in some form, and editing shows what is wrong before it is saved."""

from pathlib import Path

import pytest

from channels import registry
from channels.message import Message
from channels.sandbox.checking import Problem
from channels.templating import builtin, check_parts, preview, process, render
from channels.templating.builtin import builtin_source
from channels.templating.samples import sample_message, worst_messages
from tests.channels.sending import changed

KINDS = registry.kinds()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_built_in_template_for_each_part(kind: str) -> None:
    for part in registry.adapter(kind).parts:
        assert builtin.builtin_source(kind, part)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(4))
def test_built_in_templates_stand_the_worst_messages(kind: str, number: int) -> None:
    rendered = render(kind, {}, worst_messages()[number])
    assert rendered.degraded_reason == ""
    assert set(rendered.parts) == set(registry.adapter(kind).parts)
    assert all(text.strip() for part, text in rendered.parts.items() if (kind, part) != ("slack", "text"))


@pytest.mark.parametrize("kind", KINDS)
def test_built_in_templates_are_good_templates_for_tenants_to_begin_with(kind: str) -> None:
    sources = {part: builtin_source(kind, part) for part in registry.adapter(kind).parts}
    assert check_parts(kind, sources) == {}
    shown = preview(kind, sources)
    assert {part: text.strip() for part, text in shown.parts.items()} == render(kind, {}, sample_message()).parts


def test_a_tenants_part_replaces_only_that_part() -> None:
    rendered = render("email", {"subject": "{{ severity }} in {{ labels.cluster }}", "html": "  "}, sample_message())
    assert rendered.parts["subject"] == "critical in eu-west-1"
    assert "<h1" in rendered.parts["html"]
    assert rendered.degraded_reason == ""


@pytest.mark.parametrize(
    "source", ["{{ 1 // 0 }}", "{{ title.__class__ }}", "{% if %}", "{{ 'x' * 10**9 }}", "x" * 30_001]
)
def test_a_template_that_fails_gives_way_to_the_built_in_one(source: str) -> None:
    rendered = render("email", {"subject": source}, sample_message())
    assert rendered.parts["subject"] == "[FIRING critical] Disk almost full on db-primary-1 (5 alerts)"
    assert rendered.degraded_reason.startswith("subject: ")
    assert len(rendered.degraded_reason) <= 300


def forget_built_in() -> None:
    for kept in (builtin._environment, builtin._template, builtin._constant):
        kept.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
def test_when_even_the_built_in_template_is_gone_a_plain_text_goes_out(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(builtin, "ROOT", tmp_path)
    forget_built_in()
    try:
        message = changed(title="<b>&\nx", group_labels={"a": "<!here>"})
        rendered = render(kind, {}, message)
    finally:
        forget_built_in()
    assert "TemplateNotFound" in rendered.degraded_reason
    for part, text in rendered.parts.items():
        assert "firing critical" in text
        if registry.adapter(kind).parts[part] == "html":
            assert "&lt;b&gt;" in text
        if registry.adapter(kind).parts[part] == "mrkdwn":
            assert "<!here>" not in text


def test_the_resolved_message_looks_resolved() -> None:
    message = changed(status="resolved")
    assert render("email", {}, message).parts["subject"].startswith("[RESOLVED] Disk")
    assert render("slack", {}, message).parts["title"].startswith("\u2705 RESOLVED")
    assert "#12874b" in render("email", {}, message).parts["html"]


def test_times_are_in_the_readers_zone_and_an_unknown_zone_is_utc() -> None:
    assert "03:41 CET" in render("email", {}, sample_message()).parts["text"]
    assert "02:41 UTC" in render("email", {}, changed(time_zone="No/Where")).parts["text"]


def test_the_html_of_a_link_is_only_ever_a_web_address() -> None:
    html = render("email", {}, changed(group_url="javascript:alert(1)", links=[])).parts["html"]
    assert "Open the group" not in html
    assert "javascript" not in html


def test_checking_names_part_line_and_fault() -> None:
    problems = check_parts("email", {"subject": "a\n{{ lipsum() }}", "text": "fine", "sms": "x"})
    assert problems == {
        "subject": [Problem(2, "This function is not allowed in a template.")],
        "sms": [Problem(1, "This kind of channel has no such part.")],
    }


def test_checking_finds_what_only_fails_on_a_bad_day() -> None:
    source = "{{ 100 // counts.firing }}"
    assert render("email", {"subject": source}, sample_message()).degraded_reason == ""
    assert check_parts("email", {"subject": source})["subject"][0].text == "The template failed: ZeroDivisionError."


def test_a_preview_shows_the_built_in_text_beside_the_problem() -> None:
    shown = preview("slack", {"title": "{{ nope( }}", "text": "{{ labels.service }}"})
    assert shown.parts["text"] == "ledger"
    assert shown.parts["title"].endswith("Disk almost full on db-primary-1")
    assert shown.problems["title"][0].line == 1


def test_a_preview_that_must_be_killed_is_a_problem_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROGRAM", "print('ready', flush=True); import time; time.sleep(60)")
    shown = preview("slack", {"title": "x"})
    assert shown.problems == {"title": [Problem(1, "The template takes too long.")]}
    assert shown.parts["title"]


def test_a_message_survives_storage() -> None:
    for message in worst_messages():
        assert Message.from_json(message.to_json()) == message
    assert sample_message().for_delivery("x").delivery_id == "x"
