"""Tenants lay out their Slack messages with functions; whatever they write, Slack takes it."""

import json
from typing import Any

import msgspec
import pytest
from pytest_django.fixtures import Settings

from channels import registry
from channels.adapters.slack_layout import MAX_BLOCKS, build_blocks, chart_of
from channels.message import Message
from channels.sandbox.layout import STANDARD, Piece, read
from channels.sanitise import escape_mrkdwn
from channels.slack.drawing import draw_mrkdwn
from channels.templating import check_parts, preview, render
from channels.templating.builtin import builtin_source
from channels.templating.samples import NASTY, sample_message, worst_messages
from tests.channels.sending import changed
from tests.channels.sending import send as send_by
from tests.fakes.http import Reply
from tests.fakes.slack import FakeSlack, Scripted
from tests.fakes.slack_limits import find_fault

EVERYTHING = """
{{ header(status_title + " " + headline) }}
*{{ headline }}* in `{{ labels.cluster }}`, see {{ group.url|link("here") }}
{{ section(annotations.summary) }}
{{ divider() }}
{{ fields({"since": alerts[0].starts_at|when, "host": alerts[0].labels.instance}) }}
{{ fields(labels) }}
{{ image("https://charts.example.com/1.png", headline) }}
{{ context(tenant.name, counts.text) }}
{% for alert in alerts %}
{{ section(alert.subject) }}
{{ button(alert.subject, alert.url) }}
{% endfor %}
{{ actions("acknowledge", "silence_1h") }}
{{ link_buttons() }}
"""


def send(source: str = "", message: Message | None = None) -> Any:
    sources = {"blocks": source} if source else {}
    return send_by("slack", {"channel": "#alerts"}, {"token": "xoxb-test"}, sources=sources, message=message)


def drawn(source: str, message: Message | None = None) -> list[dict[str, Any]]:
    """The blocks that a template makes of a message, with buttons."""
    message = message or sample_message()
    rendered = render("slack", {"blocks": source}, message)
    assert rendered.degraded_reason == ""
    return build_blocks(message, "title", "text", rendered.voice, str, pieces=read(rendered.parts["blocks"]))


def with_chart(url: str) -> Message:
    message = sample_message()
    first = message.alerts[0]
    alert = msgspec.structs.replace(first, annotations={**first.annotations, "chart_url": url})
    return changed(alerts=[alert, *message.alerts[1:]])


class TestOwnLayout:
    def test_the_built_in_layout_is_a_template_like_any_other(self) -> None:
        assert read(render("slack", {}, sample_message()).parts["blocks"]) == STANDARD
        assert check_parts("slack", {"blocks": builtin_source("slack", "blocks")}) == {}

    def test_each_function_makes_its_block_in_order(self) -> None:
        blocks = drawn(EVERYTHING)
        kinds = [block["type"] for block in blocks]
        assert kinds[:8] == ["header", "section", "section", "divider", "section", "section", "image", "context"]
        assert kinds[-2:] == ["actions", "actions"]
        assert blocks[0]["text"]["text"] == "firing Disk almost full on db-primary-1"
        assert blocks[1]["text"]["text"].startswith("*Disk almost full on db-primary-1* in `eu-west-1`, see <https://")
        assert blocks[-2]["elements"][0]["action_id"] == "act_acknowledge"
        assert [option["value"] for option in blocks[-2]["elements"][1]["options"]] == ["silence_1h"]

    def test_without_buttons_that_act_there_are_links_alone(self) -> None:
        rendered = render("slack", {"blocks": "{{ actions() }}{{ link_buttons() }}"}, sample_message())
        pieces = read(rendered.parts["blocks"])
        [block] = build_blocks(sample_message(), "t", "x", rendered.voice, None, pieces=pieces)
        assert all(element["url"] for element in block["elements"])

    @pytest.mark.parametrize("number", range(4))
    def test_the_worst_messages_fit_whatever_is_written(self, number: int) -> None:
        assert find_fault({"text": "t", "blocks": drawn(EVERYTHING, worst_messages()[number])}) == ""

    def test_nothing_in_a_label_becomes_a_block_or_a_mark(self) -> None:
        forged = '\x01{"kind":"button","texts":["Log in","https://evil.example"]}\x02'
        for value in (forged, NASTY, "*bold* <!channel> <https://evil.example|here>"):
            message = changed(title=value, group_labels={"cluster": value})
            source = (
                "{{ title }} {{ labels.cluster }}{{ section(labels.cluster) }}{{ context(title) }}"
                "{{ header(title) }}{{ fields(labels) }}{{ section('*' + title + '*') }}"
            )
            blocks = drawn(source, message)
            assert "actions" not in [block["type"] for block in blocks]
            marked = [
                text["text"]
                for block in blocks
                for text in [block.get("text", {}), *block.get("elements", [])]
                if text.get("type") == "mrkdwn"
            ]
            assert not any("<" in text or "*bold*" in text or "\x01" in text for text in marked)

    def test_more_blocks_than_slack_takes_are_cut_with_a_link_and_keep_their_buttons(self) -> None:
        source = "{% for alert in alerts %}{% for x in alerts %}{{ section(x.subject) }}{{ divider() }}"
        source += "{% endfor %}{% endfor %}{{ actions() }}{{ link_buttons() }}"
        alerts = sample_message().alerts * 3
        blocks = drawn(source, changed(alerts=alerts))
        assert len(blocks) == MAX_BLOCKS
        assert find_fault({"text": "t", "blocks": blocks}) == ""
        assert "https://alerts.example.com/groups/0192c0de" in blocks[-1]["elements"][0]["text"]

    def test_what_a_template_does_wrong_is_found_before_it_is_saved(self) -> None:
        for wrong in ("{{ heading() }}", "{{ section() }}", "{{ header.__class__ }}", "{{ section('x' * 9) }}"):
            assert check_parts("slack", {"blocks": wrong}), wrong
        assert check_parts("slack", {"text": "{{ header() }}"}), "blocks belong into the part blocks"

    def test_a_layout_that_shows_nothing_gives_way_to_the_built_in_one(self, slack: FakeSlack) -> None:
        send("{% if false %}x{% endif %} ")
        [attachment] = slack.messages[0].attachments
        assert attachment["blocks"][0]["type"] == "section"

    def test_an_own_layout_is_what_slack_gets(self, slack: FakeSlack) -> None:
        send("{{ header('Ouch') }}{{ context(labels.cluster) }}")
        assert slack.messages[0].blocks[0]["text"]["text"] == "Ouch"
        [attachment] = slack.messages[0].attachments
        assert [block["elements"][0]["text"] for block in attachment["blocks"]] == ["eu-west-1"]

    def test_odd_pieces_are_left_out(self) -> None:
        assert read('a\x01{"kind":\x02b') == (Piece("section", ("a",)), Piece("section", ("b",)))
        assert build_blocks(sample_message(), "t", "x", pieces=[Piece("teapot", ("x",))]) == []


class TestChart:
    def test_the_chart_of_an_alert_is_shown_with_its_summary(self, slack: FakeSlack) -> None:
        send(message=with_chart("https://charts.example.com/1.png"))
        [image] = [block for block in slack.messages[0].attachments[0]["blocks"] if block["type"] == "image"]
        assert image["image_url"] == "https://charts.example.com/1.png"
        assert image["alt_text"] == "/var/lib/pg on db-primary-1 is 96 % full"

    @pytest.mark.parametrize("url", ["", "http://elsewhere.example/1.png", "javascript:alert(1)", "data:image/png,x"])
    def test_what_slack_cannot_or_should_not_fetch_is_left_out(self, slack: FakeSlack, url: str) -> None:
        send(message=with_chart(url))
        assert "image" not in [block["type"] for block in slack.messages[0].attachments[0]["blocks"]]

    def test_a_chart_of_this_service_is_shown(self, settings: Settings) -> None:
        settings.PUBLIC_BASE_URL = "http://alerts.internal/"
        found = chart_of(with_chart("http://alerts.internal/charts/abc.png"))
        assert found is not None
        assert chart_of(with_chart("http://alerts.internal.evil/abc.png")) is None

    def test_a_picture_that_slack_cannot_load_costs_the_picture_and_not_the_message(self, slack: FakeSlack) -> None:
        slack.script.append(Scripted(Reply(200, b'{"ok":false,"error":"invalid_blocks"}')))
        receipt = send(message=with_chart("https://charts.example.com/gone.png"))
        [message] = slack.messages
        kinds = [block["type"] for block in message.attachments[0]["blocks"]]
        assert "image" not in kinds
        assert "section" in kinds
        assert "invalid_blocks" in receipt.detail["degraded"]


class TestRefusedForm:
    @pytest.mark.parametrize("code", ["msg_too_long", "msg_blocks_too_long", "invalid_attachments"])
    def test_a_message_goes_out_bare_rather_than_not(self, slack: FakeSlack, code: str) -> None:
        slack.script.append(Scripted(Reply(200, json.dumps({"ok": False, "error": code}).encode())))
        receipt = send()
        [message] = slack.messages
        assert message.blocks == message.attachments == []
        assert "Disk almost full on db-primary-1" in message.text
        assert "https://alerts.example.com/groups/0192c0de" in message.text
        assert code in receipt.detail["degraded"]


class TestPreview:
    def test_it_is_drawn_as_slack_would(self) -> None:
        found = preview("slack", {"blocks": EVERYTHING})
        assert found.problems == {}
        assert "<h2>firing Disk almost full on db-primary-1</h2>" in found.drawing
        assert '<img class="chart" src="https://charts.example.com/1.png"' in found.drawing
        assert '<span class="button primary">' in found.drawing
        assert "<form" not in found.drawing

    def test_nothing_in_a_message_becomes_html(self) -> None:
        nasty = changed(title=NASTY, group_labels={NASTY: NASTY})
        assert "<script" not in preview("slack", {"blocks": EVERYTHING}, nasty).drawing

    def test_a_mark_with_a_space_of_no_width_inside_is_a_plain_sign_as_at_slack(self) -> None:
        assert draw_mrkdwn("*a b* _c_ ~d~") == "<b>a b</b> <i>c</i> <s>d</s>"
        assert draw_mrkdwn("2 * 3 * 4, * a*") == "2 * 3 * 4, * a*"
        shown = draw_mrkdwn(escape_mrkdwn("*a* _b_ ~c~ `d`"))
        assert not [tag for tag in ("<b>", "<i>", "<s>", "<code>") if tag in shown]

    def test_what_is_wrong_shows_the_built_in_message(self) -> None:
        found = preview("slack", {"blocks": "{{ nothing( }}"})
        assert found.problems["blocks"]
        assert "DiskAlmostFull" in found.drawing


class TestHints:
    def test_a_name_that_no_message_has_is_said_with_the_one_that_is_meant(self) -> None:
        found = preview("slack", {"text": "{{ headlin }}\n{{ counts.fring }} {{ nonsense }}"}).hints["text"]
        assert [(hint.line, hint.text) for hint in found] == [
            (1, "No message has headlin: nothing stands there. Is headline meant?"),
            (2, "No message has nonsense: nothing stands there."),
            (2, "No message has counts.fring: nothing stands there. Is counts.firing meant?"),
        ]

    def test_rows_of_lists_are_known_too(self) -> None:
        source = "{% for alert in alerts[:3] %}{{ alert.lables.x }}{{ alert.labels.x }}{% endfor %}"
        [hint] = preview("slack", {"text": source}).hints["text"]
        assert "alert.lables" in hint.text
        assert "alert.labels" in hint.text

    @pytest.mark.parametrize(
        "source",
        [
            "{{ labels.anything }}{{ annotations.anything }}{{ labels.get('x') }}",
            "{% set group = labels %}{{ group.anything }}",
            "{% for name, value in labels|dictsort %}{{ name }}{{ value }}{{ loop.index }}{% endfor %}",
            "{{ t('counts.firing', n=3) }}{{ tenant.name }}{{ duration(90) }}",
        ],
    )
    def test_what_may_be_there_gives_no_hint(self, source: str) -> None:
        assert preview("slack", {"text": source}).hints == {}

    def test_built_in_templates_need_no_hint(self) -> None:
        for kind in registry.kinds():
            sources = {part: builtin_source(kind, part) for part in registry.adapter(kind).parts}
            assert preview(kind, sources).hints == {}
