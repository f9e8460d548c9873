"""Matchers: meaning, text form, errors that help, and an index that equals trying each rule."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import matchers as m
from alerting.matchers import Matcher, MatcherError, MatcherIndex

NAMES = ["team", "env", "severity", "severity_level", "host"]
VALUES = ["", "a", "b", "critical", "page", "prod", "stage", "web-1", "web-12", "x\ny", "é"]
PATTERNS = [
    "a|b",
    "prod|",
    ".*",
    ".+",
    "web-.*",
    ".*-1",
    ".*e.*",
    "web-[0-9]+",
    "web?-1",
    "web-12?",
    "web-1{1,2}",
    "we+b-1*2",
    "(?i)PROD",
    "x.y",
    "",
    "a.|stage",
    "[^a]*",
]

labels_of = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))
matcher_of = st.one_of(
    st.builds(
        Matcher,
        st.sampled_from(NAMES),
        st.sampled_from(["=", "!="]),
        st.sampled_from(VALUES),
    ),
    st.builds(
        Matcher,
        st.sampled_from(NAMES),
        st.sampled_from(["=~", "!~"]),
        st.sampled_from(PATTERNS),
    ),
)
matchers_of = st.lists(matcher_of, max_size=4)


def oracle(matcher: Matcher, labels: dict[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.name == "severity_level" and not value:
        value = "critical" if labels.get("severity") in ("critical", "page") else "warning"
    whole = re.fullmatch(matcher.value, value, re.DOTALL) is not None if "~" in matcher.op else value == matcher.value
    return whole != matcher.op.startswith("!")


@given(matchers_of, labels_of)
def test_compiled_matchers_equal_a_naive_reading(matchers, labels):
    expected = all(oracle(one, labels) for one in matchers)
    assert m.compile_matchers(matchers)(labels) is expected
    failing = m.first_failing(matchers, labels)
    assert (failing is None) is expected
    assert failing is None or not oracle(failing, labels)


@given(
    st.lists(st.tuples(st.integers(), matchers_of), max_size=30),
    st.lists(labels_of, min_size=1, max_size=5),
)
@settings(max_examples=200)
def test_the_index_equals_trying_each_rule(rules, alerts):
    index = MatcherIndex(rules, matchers_of=lambda rule: rule[1])
    for labels in alerts * 2:  # the second time answers come from memory
        expected = [rule for rule in rules if all(oracle(one, labels) for one in rule[1])]
        assert index.matches(labels) == expected
        assert index.first(labels) == (expected[0] if expected else None)
        candidates = index.candidates(labels)
        assert [rule for rule in candidates if all(oracle(one, labels) for one in rule[1])] == expected


def test_the_index_is_keyed_by_the_rarest_equality():
    rules = [(number, m.parse(f'env="prod", host="h{number}"')) for number in range(100)]
    index = MatcherIndex(rules, matchers_of=lambda rule: rule[1])
    assert index.candidates({"env": "prod", "host": "h7"}) == [rules[7]]


def test_an_index_outlives_more_values_than_it_remembers():
    rules = [(number, m.parse(f'host=~"h{number}[0-9]*"')) for number in range(5)]
    index = MatcherIndex(rules, matchers_of=lambda rule: rule[1])
    for number in range(2000):
        expected = [rule for rule in rules if str(number).startswith(str(rule[0]))]
        assert index.matches({"host": f"h{number}"}) == expected


@given(
    st.lists(
        st.builds(
            Matcher,
            st.text(min_size=1, max_size=9).filter(str.strip),
            st.sampled_from(["=", "!="]),
            st.text(max_size=9),
        )
    )
)
def test_the_text_form_reads_back_to_the_same_matchers(matchers):
    matchers = tuple(matchers[: m.matcher.MAX_MATCHERS])
    assert m.parse(m.format_matchers(matchers)) == matchers
    assert m.from_json(m.to_json(matchers)) == matchers


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        (
            '{team="a", env=~"prod|stage"}',
            (Matcher("team", "=", "a"), Matcher("env", "=~", "prod|stage")),
        ),
        ("team=a,env!=prod", (Matcher("team", "=", "a"), Matcher("env", "!=", "prod"))),
        (' { "a b" !~ "x\\"y" , } ', (Matcher("a b", "!~", 'x"y'),)),
        ('host=~"web-\\d+"', (Matcher("host", "=~", "web-\\d+"),)),
        ('note="a}"', (Matcher("note", "=", "a}"),)),
        ("team=", (Matcher("team", "=", ""),)),
        ("", ()),
        ("{}", ()),
    ],
)
def test_people_may_write_matchers_loosely(text, matchers):
    assert m.parse(text) == matchers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{team=a", "both braces"),
        ("team", "Cannot read"),
        ("team==a", "Cannot read"),
        ("a=b c=d", "Cannot read"),
        ("=b", "Cannot read"),
        ('""=b', "name of a label"),
        (",".join(f"l{n}=x" for n in range(33)), "at most 32"),
        ("x" * 40_000, "longer than"),
    ],
)
def test_text_that_cannot_be_read_says_what_to_do(text, says):
    with pytest.raises(MatcherError, match=says):
        m.parse(text)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=prod).*", "Look-ahead"),
        ("(?<!a)b", "Look-ahead"),
        ("(a)\\1", "Back-references"),
        ("a**", "repetition"),
        ("*a", "nothing to repeat"),
        ("(a", "parenthesis"),
        ("[a", "square bracket"),
        ("a{2000}", "repeats too much"),
        ("((a{100}){100}){100}", "repeats too much"),
        ("\\q", "RE2 does not accept"),
        ("a" * 257, "the limit is 256"),
        ("\ud800", "surrogate"),
    ],
)
def test_an_expression_outside_re2_is_refused_with_advice(pattern, says):
    with pytest.raises(MatcherError, match=says) as refused:
        m.from_json(
            [
                {"name": "a", "op": "=", "value": "b"},
                {"name": "env", "op": "=~", "value": pattern},
            ]
        )
    assert refused.value.field == "matchers/1/value"


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ("team=a", "matchers"),
        (["team=a"], "matchers/0"),
        ([{"name": "", "op": "=", "value": "a"}], "matchers/0/name"),
        ([{"name": "n" * 129, "value": "a"}], "matchers/0/name"),
        ([{"name": 7, "value": "a"}], "matchers/0/name"),
        ([{"name": "a", "op": "~", "value": "a"}], "matchers/0/op"),
        ([{"name": "a", "value": None}], "matchers/0/value"),
        ([{"name": "a", "value": "v" * 1025}], "matchers/0/value"),
        ([{"name": "a", "value": "b", "isRegex": True}], "matchers/0"),
        ([{"name": "a", "value": "b"}] * 33, "matchers"),
    ],
)
def test_json_that_is_wrong_names_the_field(items, field):
    with pytest.raises(MatcherError) as refused:
        m.from_json(items)
    assert refused.value.field == field
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        'a=~".*"',
        'a=~".+"',
        'a=~"x|.*"',
        'a!="x"',
        'a!~"x.*"',
        'nothing=""',
        'a!=""',
        'a=~"[\\s\\S]*",b!="c"',
    ],
)
def test_a_set_that_may_mute_everything_is_noticed(text):
    assert m.matches_everything(m.parse(text))


@pytest.mark.parametrize(
    "text",
    ['a="x"', 'a=~"web-.*"', 'a=~".*", b="c"', 'a=~"[a-z]+"', 'a!="b", team=~"a|b"'],
)
def test_a_set_that_narrows_is_not_mistaken_for_everything(text):
    assert not m.matches_everything(m.parse(text))


def test_a_catastrophic_pattern_stays_cheap():
    test = m.compile_matchers([Matcher("a", "=~", "(a+)+(a+)+b")])
    assert not test({"a": "a" * 1024})


def test_a_matcher_prints_as_people_write_it():
    assert str(Matcher("team", "=~", "a|b")) == 'team=~"a|b"'


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ({"severity": "page"}, "critical"),
        ({"severity": "SEV-1"}, "critical"),
        ({"severity": "critical"}, "critical"),
        ({"severity": "hot"}, "warning"),
        ({}, "warning"),
        ({"severity": "page", "severity_level": "gold"}, "gold"),
    ],
)
def test_the_level_of_an_alert_can_be_asked_for_whatever_its_sender_calls_it(labels, level):
    assert Matcher("severity_level", "=", level).matches(labels)
    assert not Matcher("severity_level", "!=", level).matches(labels)
    assert Matcher("severity_level", "=~", f"{level}|none").matches(labels)
    index = MatcherIndex([[Matcher("severity_level", "=", level)], [Matcher("severity_level", "=~", "x")]], list)
    assert index.matches(labels) == [[Matcher("severity_level", "=", level)]]
