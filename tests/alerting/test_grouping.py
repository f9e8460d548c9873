"""Grouping: the first rule decides, and identity is of labels, not of routes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.grouping import (
    DEFAULT_RULE,
    Grouping,
    GroupingError,
    GroupingRule,
    check_group_by,
)
from alerting.matchers import parse


def rule(number: int, text: str, *group_by: str) -> GroupingRule:
    return GroupingRule(
        id=UUID(int=number),
        name=f"g{number}",
        position=number,
        matchers=parse(text),
        group_by=group_by,
    )


RULES = [
    rule(2, 'team="shop"', "alertname", "env"),
    rule(1, 'team="shop", severity="critical"', "..."),
    rule(3, 'team="db"'),
]


def test_the_first_rule_by_position_decides():
    grouping = Grouping(RULES)
    group = grouping.group_of({"team": "shop", "alertname": "Slow", "env": "prod", "host": "a"})
    assert group.rule.name == "g2"
    assert group.labels == {"alertname": "Slow", "env": "prod"}
    assert grouping.group_of({"team": "else", "alertname": "Slow"}).rule is DEFAULT_RULE


def test_three_dots_make_each_alert_its_own_group():
    grouping = Grouping(RULES)
    one = grouping.group_of({"team": "shop", "severity": "critical", "host": "a"})
    other = grouping.group_of({"team": "shop", "severity": "critical", "host": "b"})
    assert one.rule is other.rule
    assert one.key != other.key


def test_a_rule_without_labels_makes_one_group_of_all():
    grouping = Grouping(RULES)
    keys = {grouping.group_of({"team": "db", "alertname": name, "host": name}).key for name in "abc"}
    assert len(keys) == 1


def test_a_change_of_severity_does_not_split_the_group():
    grouping = Grouping([rule(1, "", "alertname")])
    labels = {"alertname": "Slow", "severity": "warning"}
    assert grouping.group_of(labels).key == grouping.group_of({**labels, "severity": "critical"}).key


def test_a_missing_label_and_an_empty_one_are_the_same_group():
    grouping = Grouping([rule(1, "", "alertname", "env")])
    assert grouping.group_of({"alertname": "a"}) == grouping.group_of({"alertname": "a", "env": ""})


def test_explain_sees_which_matcher_failed_on_the_rules_before():
    missed = Grouping(RULES).missed({"team": "shop"})
    assert [(one.rule.name, str(one.failed)) for one in missed] == [("g1", 'severity="critical"')]


@pytest.mark.parametrize("names", [["...", "env"], [""], ["x" * 129], [f"l{n}" for n in range(17)]])
def test_label_names_that_make_no_sense_are_refused(names):
    with pytest.raises(GroupingError):
        check_group_by(names)


def test_label_names_are_cleaned():
    assert check_group_by([" env ", "team", "env"]) == ("env", "team")
    assert check_group_by(["..."]) == ("...",)


labels_of = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]))


@given(st.sets(st.sampled_from("abcd")), st.lists(labels_of, min_size=2, max_size=6))
def test_alerts_share_a_group_exactly_when_they_share_the_labels(names, alerts):
    grouping = Grouping([rule(1, "", *names)])
    for one in alerts:
        for other in alerts:
            same = all(one.get(name, "") == other.get(name, "") for name in names)
            assert (grouping.group_of(one).key == grouping.group_of(other).key) is same


@given(st.permutations(["a", "b", "c"]), labels_of)
def test_the_order_of_label_names_in_the_rule_does_not_matter(names, labels):
    assert Grouping([rule(1, "", *names)]).group_of(labels).key == Grouping([rule(1, "", *"abc")]).group_of(labels).key
