"""A tenant's template can make text and nothing else, in little time and memory."""

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from channels.languages import current, voice_of
from channels.sandbox.budget import MAX_OUTPUT
from channels.sandbox.child import Job
from channels.sandbox.context import MAX_TEXT, build_context, copy_plain
from channels.sandbox.environment import RenderFailed, check_template, render
from channels.templating import process
from channels.templating.process import ChildFailed, render_in_child
from channels.templating.samples import NASTY, sample_message, worst_messages
from tests.channels.sending import changed

CONTEXT = build_context(sample_message())

ESCAPES = [
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ''['__class__'] }}",
    "{{ labels.__init__ }}", "{{ labels['__class__']['__base__'] }}", "{{ title|attr('__class__') }}",
    "{{ labels.items.__self__ }}", "{{ labels.get.__func__ }}", "{{ title.format }}", "{{ title.format_map }}",
    "{{ '{0.__class__}'.format(title) }}", "{{ '{a}'.format_map(labels) }}", "{{ self }}", "{{ self.__init__ }}",
    "{{ cycler.__init__.__globals__ }}", "{{ joiner() }}", "{{ namespace(a=1) }}", "{{ lipsum() }}", "{{ range(3) }}",
    "{{ dict(a=1) }}", "{{ config }}", "{{ request }}", "{{ get_flashed_messages() }}", "{{ loop.__class__ }}",
    "{% import 'os' as os %}", "{% from 'a' import b %}", "{% include 'email/html.j2' %}",
    "{% extends 'email/html.j2' %}", "{% macro m() %}{{ m() }}{% endmacro %}", "{% call title() %}{% endcall %}",
    "{% block a %}{% endblock %}", "{% filter upper %}a{% endfilter %}", "{% set a %}b{% endset %}",
    "{% autoescape false %}{{ title }}{% endautoescape %}", "{{ labels|map(attribute='__class__')|list }}",
    "{{ alerts|groupby('__class__') }}", "{{ alerts|sum(start=labels) }}", "{{ title|safe }}", "{{ title|xmlattr }}",
    "{{ labels|tojson }}", "{{ title|pprint }}", "{{ labels.pop('cluster') }}", "{{ labels.update({'a': 'b'}) }}",
    "{{ labels.clear() }}", "{{ labels.setdefault('a', 1) }}", "{{ alerts.append(1) }}", "{{ title.encode() }}",
    "{{ title.join(labels) }}", "{{ title.upper(*alerts) }}", "{{ title.upper(**labels) }}", "{{ title is callable }}",
    "{{ title is sameas title }}", "{% debug %}", "{% do labels.clear() %}",
    "{% for a in alerts recursive %}{{ loop(alerts) }}{% endfor %}", "{% set ns.a = 1 %}", "{{ (1).__class__ }}",
    "{{ 1 .real }}", "{{ 1.5.hex() }}", "{{ [].sort }}", "{{ ().__class__ }}", "{{ none.__class__ }}",
]  # fmt: skip
BOMBS = [
    "{{ 'x' * 10**9 }}", "{{ 'x' * 1000000000 }}", "{{ 1000000000 * 'x' }}", "{{ [1] * 1000000000 }}",
    "{{ 10 ** 10 ** 8 }}", "{{ 2 ** 64 }}", "{{ '%0900000000d' % 1 }}", "{{ '%s' % title }}", "{{ '%c' % 65 }}",
    "{{ '{:900000000}'.format(1) }}", "{{ title|format(1) }}", "{{ '%900000000d'|format(1) }}",
    "{{ 'x'.center(900000000) }}", "{{ 'x'.ljust(900000000) }}", "{{ 'x'.zfill(900000000) }}",
    "{{ 'x'|center(900000000) }}", "{{ 'x'|indent(900000000) }}", "{{ title|indent(width=900000000, first=true) }}",
    "{{ 'x'|batch(900000000, 'y')|list }}", "{{ 'x'|slice(900000000)|list }}", "{{ 'x'|wordwrap(1) }}",
    "{{ 'x'.expandtabs(900000000) }}", "{{ 'x'.replace('x', 'y') }}", "{{ lipsum(n=100000) }}",
    "{% for a in range(10000000) %}{% endfor %}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set a = title * 1000 %}", "{{ a ~ a }}", "{{ 999999999999 * 999999999999 * 999999999999 }}",
    "{% set a = 'x' + 'x' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{{ ('x'|replace('x', 'y' + '" + "y" * 8000 + "'))|replace('y', '" + "z" * 8000 + "') }}",
    "{% set a = '" + "x" * 8000 + "' %}{{ a|replace('x', a) }}",
    "{% set a = '" + "x," * 4000 + "' %}{{ a.split(',')|join(a) }}",
    "{% set a = '" + "x" * 9000 + "' %}{% for b in a %}{% for c in a %}{% endfor %}{% endfor %}",
    "{% for a in '" + "x" * 1000 + "' %}" + "y" * 1000 + "{% endfor %}",
    "{% for a in alerts %}{% for b in alerts %}{% for c in alerts %}x{% endfor %}{% endfor %}{% endfor %}",
    "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    "{{ " + "-" * 5000 + "1 }}", "{{ " + "not " * 4000 + "1 }}", "{% if 1 %}" * 900 + "{% endif %}" * 900,
    "{{ 1" + "+1" * 5000 + " }}", "{{ title" + "|upper" * 3000 + " }}", "{{ labels" + ".a" * 5000 + " }}",
    "x" * 30_001, "{{ title }}" * 1900, "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1 is divisibleby 0 }}", "{{ title + 1 }}",
    "{{ undefined_name() }}",
]  # fmt: skip
# These are within bounds by themselves: what they print is counted, not refused.
HARMLESS_BOMBS = {"{{ title }}" * 1900}


@pytest.fixture(autouse=True)
def _voice() -> Iterator[None]:
    token = current.set(voice_of(sample_message()))
    yield
    current.reset(token)


@pytest.mark.parametrize("source", ESCAPES)
def test_an_escape_reaches_nothing(source: str) -> None:
    before = repr(CONTEXT)
    try:
        text = render("text", source, CONTEXT)
    except RenderFailed:
        text = ""
    assert not any(word in text for word in ("class", "object at", "<function", "built-in", "module", "method"))
    assert repr(CONTEXT) == before


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_costs_little_and_is_refused(source: str) -> None:
    tracemalloc.start()
    started = time.thread_time()
    try:
        text = render("text", source, CONTEXT)
    except RenderFailed:
        text = None
    spent, (_now, peak) = time.thread_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text is None or source in HARMLESS_BOMBS or len(text) < 100
    assert spent < 3
    assert peak < 40_000_000


def test_silent_loops_are_counted() -> None:
    source = "{% for b in title %}{% for c in '" + "x" * 4000 + "' %}{% endfor %}{% endfor %}"
    with pytest.raises(RenderFailed, match="too many steps"):
        render("text", source, CONTEXT)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ title|upper }}", "DISK ALMOST FULL ON DB-PRIMARY-1"),
        ("{{ labels.cluster }}/{{ labels['service'] }}/{{ labels.get('none', 'x') }}", "eu-west-1/ledger/x"),
        ("{{ labels.nothing.at.all }}|{{ nothing }}", "|"),
        ("{% for a in alerts %}{{ loop.index }}{{ a.labels.instance[:2] }} {% endfor %}", "1db 2db 3db "),
        ("{% for a in alerts %}{{ a.name[0] if loop.last else '.' }}{% endfor %}", "..D"),
        ("{% for k, v in labels.items() %}{{ k }}{% endfor %}", "alertnameclusterservice"),
        ("{{ counts.firing + 2 * 3 }} {{ 7 // 2 }} {{ 7 % 4 }}", "10 3 3"),
        ("{{ created_at|localtime('%H:%M') }} {{ alerts[0].starts_at|ago }}", "03:41 6 minutes ago"),
        ("{{ 'a' if severity == 'critical' else 'b' }}", "a"),
        ("{{ t('counts.alerts', n=1) }}, {{ t('counts.alerts', n=1200) }}", "1 alert, 1,200 alerts"),
        ("{{ 0.5|unit('ratio') }} {{ money(12, 'eur') }} {{ number(1234.5) }}", "50% €12 1,234.5"),
        ("{{ when(created_at, 'full') }} {{ duration(90) }}", "14 Mar 2026, 03:41 CET 1 minute and 30 seconds"),
        ("{{ t }}{{ t|string }}{{ [number] }}", ""),
        ("{{ labels }}", "alertname=DiskAlmostFull, cluster=eu-west-1, service=ledger"),
        ("{{ labels.values()|join('-') }}", "DiskAlmostFull-eu-west-1-ledger"),
        ("{{ title|replace('Disk', 'Disc')|truncate(6) }}", "Disc\u2026"),
        ("{{ 'javascript:alert(1)'|url }}{{ links[0].url|url }}", "https://wiki.example.com/runbooks/disk-full"),
        ("{{ severity_number|emoji }}{{ severity_number|colour('resolved') }}", "\U0001f534#12874b"),
        ("{{ title.lower().startswith('disk') }}", "True"),
    ],
)  # fmt: skip
def test_what_people_write_works(source: str, text: str) -> None:
    assert check_template("text", source) == []
    assert render("text", source, CONTEXT) == text


def test_a_check_says_what_is_wrong_on_which_line() -> None:
    assert [(p.line, str(p)) for p in check_template("text", "a\n{{ title|nope }}\n{{ range(3) }}")] == [
        (3, "This function is not allowed in a template."),
        (2, "There is no filter named nope."),
    ]
    assert check_template("text", "\n\n{% if %}")[0].line == 3
    assert check_template("text", "{{ title|_count_steps }}")


def test_html_is_escaped_and_the_label_cannot_end_an_attribute() -> None:
    context = build_context(changed(title="<img src=x onerror=alert(1)>", group_labels={"a": '"><script>'}))
    text = render("html", '<b title="{{ labels.a }}">{{ title }}</b>', context)
    assert text == ('<b title="&#34;&gt;&lt;script&gt;">&lt;img src=x onerror=alert(1)&gt;</b>')


@pytest.mark.parametrize("label", ["<!channel>", "!channel", "@here", "<@U123>", "!subteam^S1", "<!everyone|x>"])
@pytest.mark.parametrize("source", ["{{ labels.a }}", "<{{ labels.a }}>", "hi {{ labels.a|upper|lower }}"])
def test_no_label_pings_in_slack(label: str, source: str) -> None:
    text = render("mrkdwn", source, build_context(changed(group_labels={"a": label})))
    assert not any(mark in text.lower() for mark in ("<!", "<@", "<#"))


def test_a_slack_link_cannot_be_broken_out_of() -> None:
    labels = {"u": "https://e.com/?a=1&b=2", "t": "x|y> <!here>", "bad": "javascript:alert(1)"}
    context = build_context(changed(group_labels=labels))
    assert render("mrkdwn", "{{ labels.u|link(labels.t) }}", context) == (
        "<https://e.com/?a=1&amp;b=2|x\u2502y&gt; &lt;!here&gt;>"
    )
    assert render("mrkdwn", "{{ labels.bad|link('t') }}", context) == "t"


def test_formatting_marks_in_labels_stay_letters() -> None:
    context = build_context(changed(group_labels={"a": "my_pod_name", "b": "*bold* `code` ~x~"}))
    assert render("mrkdwn", "{{ labels.a }}", context) == "my_pod_name"
    shown = render("mrkdwn", "{{ labels.b }}", context)
    assert "*bold*" not in shown
    assert "`" not in shown


def test_a_line_is_one_line() -> None:
    context = build_context(changed(group_labels={"a": "x\r\nBcc: evil@example.com\x00\u202e"}))
    assert render("line", "{{ labels.a }}", context) == "x Bcc: evil@example.com"


def test_the_context_is_plain_and_capped() -> None:
    deep: object = "x"
    for _ in range(20):
        deep = {"a": deep, "b": [object()] * 1000, "c": "y" * 100_000}
    copied = copy_plain(deep)
    assert len(copied["b"]) == 256
    assert len(copied["c"]) == MAX_TEXT
    assert isinstance(copied["a"]["a"]["a"]["a"]["a"]["a"], str)
    for message in worst_messages():
        assert "\u202e" not in repr(build_context(message))


def test_output_is_capped() -> None:
    with pytest.raises(RenderFailed):
        render("text", "{% for a in '" + "x" * 200 + "' %}" + "y" * 1000 + "{% endfor %}", CONTEXT)
    assert MAX_OUTPUT == 100_000


def test_a_child_renders_and_says_what_is_wrong() -> None:
    types = {"a": "text", "b": "html"}
    outcome = render_in_child(Job(types, {"a": "{{ title }}", "b": "{{ 1/0 }}"}, [sample_message()]))
    assert outcome.parts == {"a": "Disk almost full on db-primary-1"}
    assert list(map(str, outcome.problems["b"])) == ["The template failed: ZeroDivisionError."]


@pytest.mark.parametrize("work", ["while True: pass", "import time; time.sleep(30)", "x = 'x' * 10**10"])
def test_a_child_that_runs_wild_is_killed(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wild = "import channels.sandbox.child as c; c.run = lambda job: exec({work!r}); c.main()"
    begin = "import sys; sys.path.insert(0, sys.argv[1]); "
    monkeypatch.setattr(process, "PROGRAM", begin + wild.format(work=work))
    started = time.monotonic()
    with pytest.raises(ChildFailed):
        render_in_child(Job({}, {}, []))
    assert time.monotonic() - started < 20


def test_a_child_sees_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = "import os, channels.sandbox.child as c; c.run = lambda job: c.Outcome(dict(os.environ)); c.main()"
    monkeypatch.setenv("SECRET_KEY", "planted")
    monkeypatch.setattr(process, "PROGRAM", "import sys; sys.path.insert(0, sys.argv[1]); " + spy)
    assert "SECRET_KEY" not in render_in_child(Job({}, {}, [])).parts


def test_the_sandbox_imports_no_django() -> None:
    spy = "import channels.sandbox.child as c; c.run = lambda job: c.Outcome({n: '' for n in sys.modules}); c.main()"
    process_program = process.PROGRAM
    try:
        process.PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); " + spy
        modules = render_in_child(Job({}, {}, [])).parts
    finally:
        process.PROGRAM = process_program
    assert not [name for name in modules if name.partition(".")[0] == "django"]


def test_the_worst_message_is_bad_enough() -> None:
    assert "<!channel>" in NASTY
    assert "\u202e" in NASTY
