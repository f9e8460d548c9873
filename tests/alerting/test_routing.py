"""Routing: Alertmanager's tree with inheritance, errors that help, and a trace that tells the same story."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.matchers import Matcher, parse
from alerting.routing import Decision, RouteError, RouteNode, RouteTree, Timers, Verdict

EMAIL, SLACK, POLICY = UUID(int=901), UUID(int=902), UUID(int=903)


def node(number: int, parent: int | None, text: str = "", **more) -> RouteNode:
    return RouteNode(
        id=UUID(int=number),
        name=f"r{number}",
        parent_id=None if parent is None else UUID(int=parent),
        position=number,
        matchers=parse(text),
        **more,
    )


SHOP = [
    node(0, None, channel_ids=(EMAIL,), group_wait=timedelta(seconds=10)),
    node(1, 0, 'team="shop"', channel_ids=(SLACK,), repeat_interval=timedelta(hours=1)),
    node(2, 1, 'severity="critical"', group_wait=timedelta(0), policy_id=POLICY),
    node(3, 0, 'env="prod"', continue_=True),
    node(4, 0, 'env=~"prod|stage"'),
    node(5, 0, 'env="prod"'),
]


def names(tree: RouteTree, **labels: str) -> list[str]:
    return [route.name for route in tree.route(labels)]


def test_the_first_child_takes_the_alert_and_continue_lets_it_go_on():
    tree = RouteTree.compile(reversed(SHOP))
    assert names(tree, team="shop", severity="critical", env="prod") == ["r2"]
    assert names(tree, team="shop") == ["r1"]
    assert names(tree, env="prod") == ["r3", "r4"]
    assert names(tree, env="stage") == ["r4"]
    assert names(tree) == ["r0"] == [tree.root.name]


def test_timers_channels_and_policy_are_inherited():
    [route] = RouteTree.compile(SHOP).route({"team": "shop", "severity": "critical"})
    assert route.timers == Timers(timedelta(0), timedelta(minutes=5), timedelta(hours=1))
    assert (route.channel_ids, route.policy_id, route.path) == (
        (SLACK,),
        POLICY,
        ("r0", "r1", "r2"),
    )
    assert RouteTree.compile(SHOP).route({})[0].timers.group_wait == timedelta(seconds=10)


def test_the_trace_says_which_matcher_failed_and_what_was_not_tried():
    trace = RouteTree.compile(SHOP).trace({"team": "shop", "severity": "info"})
    assert trace.verdict is Verdict.PASSED_ON
    shop, *others = trace.children
    assert shop.verdict is Verdict.TAKEN
    assert shop.children[0].failed == Matcher("severity", "=", "critical")
    assert {other.verdict for other in others} == {Verdict.NOT_TRIED}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no root"),
        ([node(0, None), node(1, None)], "only one may"),
        ([node(0, None, "a=b")], "has no matchers"),
        ([node(0, None), node(1, 2), node(2, 1)], "each other's parents"),
        ([node(0, None), node(1, 1)], "each other's parents"),
        ([node(0, None), node(1, 7)], "does not exist"),
        ([node(0, None), *(node(n, n - 1) for n in range(1, 40))], "deeper than 32"),
    ],
)
def test_rows_that_are_no_tree_are_refused_with_a_reason(rows, says):
    with pytest.raises(RouteError, match=says):
        RouteTree.compile(rows)


texts = st.sampled_from(["", 'a="1"', 'a="2"', 'a=~"1|2"', 'a!="1"', 'b="1"', 'b=~".+"', 'a="1",b!~"2.*"'])


@st.composite
def trees(draw) -> list[RouteNode]:
    rows = [node(0, None)]
    for number in range(1, draw(st.integers(1, 12))):
        parent = draw(st.integers(0, number - 1))
        rows.append(node(number, parent, draw(texts), continue_=draw(st.booleans())))
    return rows


def naive(rows: list[RouteNode], here: RouteNode, labels: dict[str, str]) -> list[str] | None:
    if not all(matcher.matches(labels) for matcher in here.matchers):
        return None
    found: list[str] = []
    for child in [row for row in rows if row.parent_id == here.id]:
        below = naive(rows, child, labels)
        if below is not None:
            found += below
            if not child.continue_:
                break
    return found or [here.name]


def taken(decision: Decision) -> list[str]:
    own = [decision.route.name] if decision.verdict is Verdict.TAKEN else []
    return own + [name for child in decision.children for name in taken(child)]


@given(trees(), st.dictionaries(st.sampled_from("ab"), st.sampled_from("123")))
def test_the_tree_and_its_trace_equal_a_naive_recursion(rows, labels):
    tree = RouteTree.compile(rows)
    expected = naive(rows, rows[0], labels)
    assert names(tree, **labels) == expected
    assert taken(tree.trace(labels)) == expected
