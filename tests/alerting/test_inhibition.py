"""Inhibition: sources mute targets with equal labels, and never each other in a circle."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerting.matchers import Matcher, parse
from alerting.muting.inhibition import InhibitionRule, Inhibitor


def rule(source: str, target: str, *equal: str, number: int = 1) -> InhibitionRule:
    return InhibitionRule(UUID(int=number), f"i{number}", parse(source), parse(target), equal)


CLUSTER = rule("alertname=ClusterDown", 'severity=~"warning|error"', "cluster")
DOWN = (b"down", {"alertname": "ClusterDown", "cluster": "c1", "severity": "critical"})


def muters(inhibitor: Inhibitor, labels: dict[str, str], *firing: tuple[bytes, dict[str, str]]) -> list[bytes | None]:
    return [muted.source for muted in inhibitor.muting(labels, inhibitor.firing_sources(firing))]


def test_a_firing_source_mutes_targets_with_equal_labels_only():
    inhibitor = Inhibitor([CLUSTER])
    assert muters(inhibitor, {"severity": "warning", "cluster": "c1"}, DOWN) == [b"down"]
    assert muters(inhibitor, {"severity": "warning", "cluster": "c2"}, DOWN) == []
    assert muters(inhibitor, {"severity": "critical", "cluster": "c1"}, DOWN) == []
    assert muters(inhibitor, {"severity": "warning", "cluster": "c1"}) == []


def test_a_missing_label_equals_a_missing_or_empty_one():
    inhibitor = Inhibitor([CLUSTER])
    source = (b"s", {"alertname": "ClusterDown"})
    assert muters(inhibitor, {"severity": "error"}, source) == [b"s"]
    assert muters(inhibitor, {"severity": "error", "cluster": ""}, source) == [b"s"]
    assert muters(inhibitor, {"severity": "error", "cluster": "c1"}, source) == []


def test_alerts_that_match_both_sides_mute_neither_themselves_nor_each_other():
    inhibitor = Inhibitor([rule("team=a", 'team=~"a|b"')])
    one, other = (b"1", {"team": "a", "host": "x"}), (b"2", {"team": "a", "host": "y"})
    assert muters(inhibitor, one[1], one) == []
    assert muters(inhibitor, one[1], one, other) == []
    assert muters(inhibitor, {"team": "b"}, one, other) == [b"1"]


def test_a_one_sided_source_mutes_an_alert_that_matches_both_sides():
    inhibitor = Inhibitor([rule('severity=~"critical|error"', 'severity!="critical"')])
    both = (b"both", {"severity": "error"})
    assert muters(inhibitor, both[1], both, (b"top", {"severity": "critical"})) == [b"top"]


def test_sources_come_and_go():
    inhibitor = Inhibitor([CLUSTER])
    sources = inhibitor.firing_sources([DOWN])
    target = {"severity": "warning", "cluster": "c1"}
    sources.add(b"second", inhibitor.source_keys(DOWN[1]))
    sources.discard(b"down")
    assert [muted.source for muted in inhibitor.muting(target, sources)] == [b"second"]
    sources.discard(b"second")
    sources.discard(b"second")
    assert inhibitor.muting(target, sources) == []
    assert len(sources) == 0


def test_near_misses_tell_a_missing_source_from_a_failing_matcher():
    inhibitor = Inhibitor([CLUSTER, rule("a=b", "severity=info, team=x", number=2)])
    sources = inhibitor.firing_sources([])
    misses = inhibitor.near_misses({"severity": "warning", "team": "x"}, sources)
    assert [(miss.name, miss.failed, miss.state) for miss in misses] == [
        ("i1", None, "no_source"),
        ("i2", Matcher("severity", "=", "info"), ""),
    ]


labels_of = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "1", "2"]))
texts = st.sampled_from(["a=1", "a!=1", 'a=~"1|2"', 'b=~".+"', "b=2", ""])
rules_of = st.lists(st.tuples(texts, texts, st.sets(st.sampled_from("abc"))), max_size=5)


@given(rules_of, st.lists(labels_of, max_size=6), labels_of)
def test_muting_equals_the_definition(rows, firing, labels):
    rules = [rule(source, target, *equal, number=number) for number, (source, target, equal) in enumerate(rows)]

    def matches(matchers: tuple[Matcher, ...], of: dict[str, str]) -> bool:
        return all(matcher.matches(of) for matcher in matchers)

    expected = set()
    for one in rules:
        both = matches(one.source_matchers, labels)
        for source in firing:
            if not (matches(one.target_matchers, labels) and matches(one.source_matchers, source)):
                continue
            if both and matches(one.target_matchers, source):
                continue
            if all(labels.get(name, "") == source.get(name, "") for name in one.equal):
                expected.add(one.id)
    inhibitor = Inhibitor(rules)
    sources = inhibitor.firing_sources([(bytes([number]), of) for number, of in enumerate(firing)])
    assert {muted.id for muted in inhibitor.muting(labels, sources)} == expected
