"""What people see when a page is not there, not theirs or broken: the service's own page, in their language."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from alerting.admin import dashboard
from alerting.models import AlertGroup, Route
from tenants.models import User
from tests.alerting.admin.world import World, admin_url


def words(answer: Any) -> str:
    page: str = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert '<a class="button" href="/">' in page
    return page


def test_a_page_that_is_not_there(ours: World) -> None:
    answer = ours.client(ours.owner).get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in words(answer)


def test_a_row_of_another_tenant_is_told_in_the_reader_s_language(ours: World, foreign: World) -> None:
    User.objects.filter(pk=ours.viewer.pk).update(locale="fr")
    answer = ours.client(ours.viewer).get(foreign.url(AlertGroup))
    assert answer.status_code == 404
    page = words(answer)
    assert '<html lang="fr">' in page
    assert "There is nothing here" not in page
    assert foreign.marker not in page


def test_what_a_role_does_not_allow(ours: World) -> None:
    answer = ours.client(ours.viewer).get(admin_url(Route, "add"))
    assert answer.status_code == 403
    assert "You may not do this" in words(answer)


def test_a_form_that_waited_too_long(ours: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ours.owner)
    answer = client.post(ours.url(AlertGroup, "act"), {"deed": "acknowledge"})
    assert answer.status_code == 403
    assert "the page was open for too long" in words(answer)


def test_a_request_no_form_means(ours: World) -> None:
    answer = ours.client(ours.owner).get(admin_url(Route, "changelist"), {"q": "\0"})
    assert answer.status_code == 400
    assert "cannot be understood" in words(answer)


def test_a_fault_of_ours(ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dashboard, "_content", fail)
    client = ours.client(ours.owner)
    client.raise_request_exception = False
    answer = client.get(reverse("admin:dashboard_part"))
    assert answer.status_code == 500
    page = words(answer)
    assert "Alerts that were accepted are safe" in page
    assert "ZeroDivisionError" not in page


def test_the_root_leads_to_the_overview(ours: World) -> None:
    answer = ours.client(ours.owner).get("/", follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert Client().get("/", follow=True).redirect_chain[-1][0].startswith("/admin/login/")


def test_the_kinds_of_problems_are_listed_under_their_codes(db: None) -> None:
    page = Client().get("/docs/problems").content.decode()
    assert '<tr id="not_found">' in page
    assert "There is no such thing here." in page
