"""One tenant's Slack is slow, throttles or is down: the others hear in time, and nothing is lost or told twice."""

import math
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.http import Reply
from tests.fakes.smtp import DROP, FakeSMTP
from tests.faults.ground import Ground
from tests.faults.slacks import LOST, TOO_FAST, Mood, Workspace, well
from tests.faults.teams import Team, p99, post_together, settle, slack_team
from tests.stack import wait_for

pytestmark = [pytest.mark.processes, pytest.mark.slow]

WARM_UP, ALERTS, PAUSE = 3, 25, 0.15
#: What the service promises its other tenants; on a machine that is slower than this by itself, what it does by itself.
PROMISE = 2.0


@pytest.fixture(autouse=True)
def running(ground: Ground) -> None:
    ground.stack.start()


def slow(sick: Workspace) -> None:
    """Answers come, after seconds."""
    sick.pace = 4.0


def storm(sick: Workspace) -> None:
    """Four dozen calls in a row are too fast for it."""
    sick.mood = throttling(48, "1")


def throttling(count: int, wait: str, channel: bytes = b"") -> Mood:
    """Refuse so many posts to a channel, each with how long to wait."""
    left = iter(range(count))

    def mood(method: str, body: bytes) -> Reply | None:
        is_refused = method == "chat.postMessage" and channel in body and next(left, None) is not None
        return Reply(429, TOO_FAST, {"Retry-After": wait}) if is_refused else None

    return mood


def down(sick: Workspace) -> None:
    """Connections end without an answer, those that would look something up too."""
    sick.mood = lambda _method, _body: LOST


def forgetful(sick: Workspace) -> None:
    """It takes messages, and the answers get lost on their way."""
    sick.lose_answers = 8


@pytest.mark.parametrize("fault", [slow, storm, down, forgetful])
def test_four_tenants_hear_in_time_while_the_fifth_has_trouble(
    ground: Ground, fault: Callable[[Workspace], None]
) -> None:
    found = [slack_team(ground) for _ in range(5)]
    teams, workspaces = [team for team, _workspace in found], [workspace for _team, workspace in found]
    (sick, trouble), others = found[0], teams[1:]
    # What a process does for the first time is slower, and no measure of anything.
    post_together(teams, WARM_UP, 0)
    wait_for(lambda: all(team.has_told() for team in teams), 60, "nothing is told")
    since = ground.sql("SELECT now()")[0][0]
    post_together(teams, ALERTS, PAUSE)
    wait_for(lambda: all(team.has_told() for team in teams), 60, "all is well, and not all was told")
    usual = p99(value for team in teams for value in team.seconds(since))

    since = ground.sql("SELECT now()")[0][0]
    fault(trouble)
    post_together(teams, ALERTS, PAUSE)
    wait_for(lambda: all(team.has_told() for team in others), 60, "the others were not told")
    suffered = p99(value for team in others for value in team.seconds(since))
    assert suffered < max(PROMISE, 3 * usual), f"{suffered:.2f} s, {usual:.2f} s without the fault"

    trouble.mood, trouble.pace = well, 0.0
    settle(ground, [sick])
    for team, workspace in zip(teams, workspaces, strict=True):
        assert team.deliveries() == set(workspace.told), "told to nobody, or never decided"
        assert team.states() == {"delivered": WARM_UP + 2 * ALERTS}
        again = sum(workspace.told.values()) - len(workspace.told)
        assert again <= workspace.lost_answers, "more than one repeat for a lost answer"
    if fault is forgetful:
        assert trouble.lost_answers == 8, "no answer was lost, so nothing was tried"


def test_a_storm_in_one_channel_stops_no_other_of_the_workspace(ground: Ground) -> None:
    """Slack counts by channel: what it says of one says nothing of the others."""
    team, workspace = slack_team(ground)
    workspace.fake.channels["C0CALM"] = "calm"
    workspace.mood = throttling(1000, "600", b"C0ALERTS")
    calm = team.make("channels", {**team.channel, "name": "calm", "settings": {"channel": "C0CALM"}})
    team.make("routes", {"name": "calm too", "parent": team.route, "channels": [team.people, calm]})
    team.post(10)
    told = "SELECT count(*) FROM delivery WHERE channel_id = %s AND state = 'delivered'"
    wait_for(lambda: ground.sql(told, calm)[0][0] == 10, 30, "the calm channel waits for the other")
    assert ground.sql(told, team.people)[0][0] == 0
    waiting = ground.sql("SELECT count(*) FROM delivery_queue WHERE channel_id = %s", team.people)[0][0]
    assert waiting == 10, "what the storm holds back waits"
    workspace.mood = well
    settle(ground, [team], seconds=60, messages=2)


class TestMail:
    @pytest.fixture
    def server(self) -> Iterator[FakeSMTP]:
        with FakeSMTP() as made:
            yield made

    @pytest.fixture
    def team(self, ground: Ground, server: FakeSMTP) -> Team:
        settings = {"to": ["olga@example.com"], "from_address": "alerts@example.com", "host": "127.0.0.1"}
        settings |= {"port": server.port, "security": "none"}
        return Team(ground, {"kind": "email", "settings": settings, "rate_per_minute": 100_000})

    def test_what_a_server_takes_later_is_sent_later(self, ground: Ground, server: FakeSMTP, team: Team) -> None:
        server.rcpt_script.extend(["451 4.3.0 try again later"] * 4)
        team.post(6)
        settle(ground, [team])
        assert not server.rcpt_script
        assert self.copies(server) == dict.fromkeys(team.deliveries(), 1)

    def test_what_a_server_never_takes_is_a_dead_letter_that_says_why(
        self, ground: Ground, server: FakeSMTP, team: Team
    ) -> None:
        server.data_script.append("552 5.3.4 message too big")
        team.post(6)
        settle(ground, [team], ("delivered", "dead"))
        assert team.states() == {"delivered": 5, "dead": 1}
        [(dead, reason)] = ground.sql(
            "SELECT id::text, state_reason FROM delivery WHERE tenant_id = %s AND state = 'dead'", team.tenant.pk
        )
        assert "552" in reason
        assert self.copies(server) == dict.fromkeys(team.deliveries() - {dead}, 1)

    def test_a_line_that_drops_after_the_mail_was_taken_costs_one_repeat_each(
        self, ground: Ground, server: FakeSMTP, team: Team
    ) -> None:
        server.data_script.extend([DROP] * 2)
        team.post(6)
        settle(ground, [team])
        copies = self.copies(server)
        assert set(copies) == team.deliveries()
        assert sum(copies.values()) - len(copies) == 2
        assert max(copies.values()) <= 2

    def copies(self, server: FakeSMTP) -> dict[str, int]:
        """How often each delivery arrived, by its Message-ID."""
        return dict(Counter(mail.message["Message-ID"].strip("<>").partition("@")[0] for mail in server.arrived))


def test_the_hundredth_is_what_one_in_a_hundred_exceeds() -> None:
    assert p99(range(1, 101)) == 99
    assert p99([1.0]) == 1.0
    assert not math.isnan(p99([0.5, 0.2]))
