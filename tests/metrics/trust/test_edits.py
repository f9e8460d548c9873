"""The admin shows what became of a threshold's alerts, and a suggested edit is made at the press of a button."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from alerting import lifecycle
from alerting.models import AlertGroup
from metrics.models import Feedback, Finding, Threshold
from metrics.trust.edits import NotSuggested, apply
from metrics.trust.outcomes import outcomes_of_all
from tenants.models import AuditEntry
from tests.alerting.scenes import Scene
from tests.factories import make_member
from tests.metrics.judging.world import World

pytestmark = pytest.mark.django_db


class Past:
    """A threshold whose alerts are over within minutes; nobody ever did anything."""

    def __init__(self, times: int = 6) -> None:
        self.world = World()
        self.scene = Scene(self.world.tenant)
        self.scene.route(self.scene.channel())
        self.threshold = self.world.threshold("Load", settings={"above": 10})
        for number in range(times):
            self.world.feed(12, 12, start=number * 5, host="a")
            self.scene.drain()
            self.scene.run()
            self.world.feed(1, 1, start=number * 5 + 2, host="a")
            self.scene.drain()
            self.scene.run()

    def browser(self, role: str = "owner") -> Client:
        client = Client()
        client.force_login(make_member(self.world.tenant, role))
        return client


@pytest.fixture
def past() -> Past:
    return Past()


def test_the_list_says_how_often_alerts_were_acted_on_in_one_statement_for_all(
    past: Past, django_assert_num_queries: Any
) -> None:
    quiet = past.world.threshold("Quiet", metric="other")
    with past.world.context(), django_assert_num_queries(1):
        found = outcomes_of_all([past.threshold, quiet])
    assert (found[quiet.pk].told, found[past.threshold.pk].told) == (0, 6)
    assert found[past.threshold.pk].ignored == 6
    page = past.browser("viewer").get("/admin/metrics/threshold/").content.decode()
    assert "0 of 6; ignored: 6" in page


def test_a_person_who_resolves_it_has_acted_and_so_has_one_who_found_it_useful() -> None:
    for deed in ("resolve", "useful"):
        past = Past(times=0)
        past.world.feed(12, 12, host="a")
        past.scene.drain()
        past.scene.run()
        with past.world.context():
            group = AlertGroup.objects.get().pk
            if deed == "resolve":
                lifecycle.resolve(past.scene.principal, group)
            else:
                from alerting import feedback

                feedback.give(past.scene.principal, group, "useful")
            assert outcomes_of_all([past.threshold])[past.threshold.pk].acted_on == 1, deed


def test_one_press_makes_the_suggested_edit_and_it_is_audited(past: Past) -> None:
    browser, page = past.browser(), f"/admin/metrics/threshold/{past.threshold.pk}"
    assert 'value="longer_wait"' in browser.get(f"{page}/change/").content.decode()
    answer = browser.post(f"{page}/apply/", {"code": "longer_wait"}, follow=True)
    assert "Changed. Most are over within minutes" in answer.content.decode()
    with past.world.context():
        assert Threshold.objects.get().hold >= timedelta(minutes=1)
        assert AuditEntry.objects.filter(action="threshold.changed").count() == 1


def test_what_is_not_suggested_is_not_done(past: Past) -> None:
    with past.world.context():
        principal = past.scene.principal
        with pytest.raises(NotSuggested):
            apply(principal, Threshold.objects.get(), "less_sensitive")
    browser = past.browser()
    answer = browser.post(f"/admin/metrics/threshold/{past.threshold.pk}/apply/", {"code": "x"}, follow=True)
    assert "This is not suggested any more." in answer.content.decode()
    with past.world.context():
        assert Threshold.objects.get().severity == past.threshold.severity


@pytest.mark.parametrize("role", ["viewer", "responder"])
def test_who_may_not_change_thresholds_cannot_press_it(past: Past, role: str) -> None:
    browser, page = past.browser(role), f"/admin/metrics/threshold/{past.threshold.pk}"
    assert 'value="longer_wait"' not in browser.get(f"{page}/change/").content.decode()
    assert browser.post(f"{page}/apply/", {"code": "longer_wait"}).status_code == 403
    with past.world.context():
        assert Threshold.objects.get().hold == timedelta(0)


def test_noise_suggests_less_sensitivity_than_the_tenant_set_where_it_has_none_of_its_own() -> None:
    past = Past(times=6)
    with past.world.context():
        Threshold.objects.update(kind="adaptive", settings={"method": "detector"})
        for number, finding in enumerate(Finding.objects.all()):
            Feedback.objects.create(finding=finding, verdict="noise", actor=f"member:{number}")
    browser, page = past.browser(), f"/admin/metrics/threshold/{past.threshold.pk}"
    shown = browser.get(f"{page}/change/").content.decode()
    assert "feedback moves it from" in shown
    browser.post(f"{page}/apply/", {"code": "less_sensitive"})
    with past.world.context():
        assert Threshold.objects.get().settings == {"method": "detector", "sensitivity": 0.35, "least": 0.2}
