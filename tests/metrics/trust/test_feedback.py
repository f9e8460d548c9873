"""Useful or noise, said where people are: by Slack's buttons, by the link of a mail, on the page of the group."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from alerting import feedback
from alerting.models import AlertGroup, TimelineEvent
from channels.delivery import deliver_due
from channels.models import Delivery
from metrics.models import Feedback, Finding, Threshold
from tenants.models import AuditEntry
from tests.alerting.callbacks import test_mail, test_slack
from tests.alerting.scenes import Scene, alert
from tests.factories import make_member
from tests.fakes.smtp import FakeSMTP
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db
slack = test_slack.world
READER = test_mail.READER


def find(scene: Scene) -> AlertGroup:
    """A finding that became an alert, and was told."""
    series = World(scene.tenant)
    series.threshold("Load", settings={"above": 10})
    series.feed(1, 12, 13, host="a")
    scene.drain()
    scene.run()
    while deliver_due(scene.id):
        pass
    with scene.context():
        return AlertGroup.objects.get(title__startswith="Load")


@pytest.fixture
def world(slack: Any) -> Iterator[test_slack.World]:
    slack.group = find(slack.scene)
    return slack


def buttons(message: Any) -> dict[str, dict[str, Any]]:
    blocks = [block for bar in message.attachments for block in bar["blocks"] if block["type"] == "actions"]
    return {one["action_id"]: one for block in blocks for one in block["elements"]}


def press(world: Any, verdict: str, **more: Any) -> Any:
    message = world.fake.messages[-1] if not more.get("message") else more.pop("message")
    return world.click(verdict, value=buttons(message)[f"act_{verdict}"]["value"], **more)


def test_only_messages_about_findings_ask_what_it_was_worth(world: Any) -> None:
    plain, found = world.fake.messages
    assert "act_useful" not in buttons(plain)
    assert {"act_useful", "act_noise", "act_acknowledge"} <= set(buttons(found))


def test_a_press_is_kept_and_the_message_shows_it(world: Any) -> None:
    user = world.link()
    message = world.fake.messages[-1]
    assert press(world, "noise").status_code == 200
    assert world.said[-1]["text"].startswith("Noted: 1 finding was noise.")
    with world.scene.context():
        given = Feedback.objects.get()
        assert (given.verdict, given.actor) == ("noise", f"member:{user.pk}")
        assert AuditEntry.objects.filter(action="finding.judged").count() == 1
        event = TimelineEvent.objects.get(kind="judged", group_id=world.group.pk)
        assert (event.reason, event.actor) == ("noise", f"{user.username} (Slack)")
    before = len(world.fake.messages)
    world.deliver()
    assert len(world.fake.messages) == before, "the message changes in place, nothing is added to the thread"
    assert f"{user.username} (Slack) found this to be noise" in json.dumps(message.attachments)
    assert [buttons(message)[f"act_{one}"].get("style") for one in ("useful", "noise")] == [None, "primary"]
    press(world, "useful", message=message)
    world.deliver()
    with world.scene.context():
        assert Feedback.objects.get().verdict == "useful"
    assert "found this useful" in json.dumps(message.attachments)
    assert "to be noise" not in json.dumps(message.attachments)


def test_it_can_be_said_when_it_is_over(world: Any) -> None:
    world.link()
    World(world.scene.tenant).feed(1, 1, 1, start=3, host="a")
    world.deliver()
    world.scene.drain()
    world.scene.run()
    world.deliver()
    message = next(one for one in world.fake.messages if "act_noise" in buttons(one))
    assert "act_acknowledge" not in buttons(message)
    press(world, "noise", message=message)
    world.deliver()
    assert "found this to be noise" in json.dumps(message.attachments)
    assert "RESOLVED: load" in json.dumps(message.blocks)


def test_who_may_not_act_may_not_judge(world: Any) -> None:
    world.link("viewer")
    press(world, "noise")
    assert world.outcomes()[-1] == "not_allowed"
    with world.scene.context():
        assert not Feedback.objects.exists()


def test_a_stranger_and_a_forger_are_refused(world: Any) -> None:
    press(world, "noise")
    assert world.outcomes()[-1] == "not_linked"
    world.link()
    forged = buttons(world.fake.messages[-1])["act_noise"]["value"].replace("noise", "useful", 1)
    world.click("useful", value=forged)
    assert world.outcomes()[-1] == "forged"
    with world.scene.context():
        assert not Feedback.objects.exists()


def test_nothing_is_judged_where_nothing_was_found(world: Any) -> None:
    world.link()
    with world.scene.context():
        other = AlertGroup.objects.exclude(pk=world.group.pk).get()
    with pytest.raises(feedback.NothingToJudge):
        feedback.give(world.scene.principal, other.pk, "noise")


def test_an_annotation_of_a_sender_is_no_finding(world: Any) -> None:
    forged = {"summary": "x", "finding_id": "not an id"}
    world.scene.run(alert("Forged", host="b", annotations=forged))
    with world.scene.context():
        group = AlertGroup.objects.get(title__startswith="Forged")
    with pytest.raises(feedback.NothingToJudge):
        feedback.give(world.scene.principal, group.pk, "noise")


def test_feedback_from_elsewhere_reaches_the_message_once(world: Any) -> None:
    from metrics.trust import verdicts

    message = world.fake.messages[-1]
    for _time in range(2):
        with world.scene.context():
            verdicts.give(world.scene.principal, Finding.objects.get(), "useful")
    with world.scene.context():
        assert Delivery.objects.filter(reason="judged").count() == 1
    world.deliver()
    assert "Alice found this useful" in json.dumps(message.attachments)


def test_several_updates_that_wait_become_one(world: Any) -> None:
    from metrics.trust import verdicts

    for verdict in ("useful", "noise", "useful", "noise"):
        with world.scene.context():
            verdicts.give(world.scene.principal, Finding.objects.get(), verdict)
    world.deliver()
    with world.scene.context():
        states = list(Delivery.objects.filter(reason="judged").order_by("created_at").values_list("state", flat=True))
    assert states == ["cancelled", "cancelled", "cancelled", "delivered"]
    assert "found this to be noise" in json.dumps(world.fake.messages[-1].attachments)


@pytest.fixture
def mails(settings: Any) -> Iterator[Any]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    with FakeSMTP() as smtp:
        made = test_mail.World(smtp)
        made.group = find(made.scene)
        yield made


def test_the_link_of_a_mail_asks_and_only_a_press_says_it(mails: Any) -> None:
    path = mails.link("judge")
    assert path in mails.smtp.arrived[-1].body("html")
    scanner = Client(enforce_csrf_checks=True)
    page = scanner.get(f"{path}?as=noise")
    assert (page.status_code, scanner.head(path).status_code, scanner.post(path).status_code) == (200, 200, 200)
    text = page.content.decode()
    assert text.index('value="noise"') < text.index('value="useful"')
    with mails.scene.context():
        assert not Feedback.objects.exists()
    done = scanner.post(path, {"verdict": "noise"})
    assert "Noted: 1 finding was noise." in done.content.decode()
    assert done.headers["Referrer-Policy"] == "no-referrer"
    with mails.scene.context():
        given = Feedback.objects.get()
        assert (given.verdict, given.actor) == ("noise", f"system:email:{READER}")


def test_a_mail_about_no_finding_has_no_such_link(mails: Any) -> None:
    mails.tell(host="other")
    assert "/mail/judge/" not in mails.smtp.arrived[-1].body("plain")


def test_a_link_of_another_purpose_judges_nothing(mails: Any) -> None:
    token = urlsplit(mails.link("acknowledge")).path.rpartition("/")[2]
    assert Client().post(f"/mail/judge/{token}", {"verdict": "noise"}).status_code == 410


def test_the_page_of_the_group_takes_it(mails: Any) -> None:
    client = Client()
    client.force_login(make_member(mails.scene.tenant, "owner"))
    page = f"/admin/alerting/alertgroup/{mails.group.pk}"
    assert 'value="noise"' in client.get(f"{page}/change/").content.decode()
    client.post(f"{page}/act/", {"deed": "noise"})
    with mails.scene.context():
        assert Feedback.objects.get().verdict == "noise"


def test_noise_moves_the_sensitivity_within_its_bounds_and_counts(mails: Any) -> None:
    from metrics.judging.learned import sensitivity_of
    from metrics.judging.rules import rule_of
    from metrics.trust.verdicts import precision_of

    with mails.scene.context():
        settings = {"method": "detector", "sensitivity": 0.5, "least": 0.49, "most": 0.6}
        Threshold.objects.update(kind="adaptive", settings=settings)
        Finding.objects.update(kind="adaptive")
    feedback.give(mails.scene.principal, mails.group.pk, "noise")
    with mails.scene.context():
        threshold = Threshold.objects.get()
        rule = rule_of(threshold)
        assert threshold.adjustment == pytest.approx(-0.03)
        assert sensitivity_of(rule.condition, rule.adjustment) == pytest.approx(0.49)  # type: ignore[arg-type]
        assert precision_of({threshold.pk})[threshold.pk].noise == 1
