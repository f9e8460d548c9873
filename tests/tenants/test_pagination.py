"""Paging by cursor: nothing twice, nothing skipped, no cursor of one's own making."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.pagination import CursorPagination
from tenants.api.problems import Problem
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(db: None) -> QuerySet[Tenant]:
    """Seven tenants, three of them made at the same moment."""
    start = timezone.now() - timedelta(hours=1)
    for number in range(7):
        tenant = Tenant.objects.create(slug=f"page-{number}", name=str(number))
        Tenant.objects.filter(pk=tenant.pk).update(created_at=start + timedelta(seconds=number // 3))
    return Tenant.objects.filter(slug__startswith="page-")


class View:
    cursor_newest_first = True


def page(rows: QuerySet[Tenant], url: str, view: Any = View) -> Response:
    pagination = CursorPagination()
    request = Request(RequestFactory().get(url))
    return pagination.get_paginated_response([row.name for row in pagination.paginate_queryset(rows, request, view)])


def walk(rows: QuerySet[Tenant], url: str, view: Any = View) -> list[str]:
    names: list[str] = []
    while url:
        response = page(rows, url, view)
        names += response.data["results"]
        url = response.data["next"]
    return names


def test_pages_hold_every_row_once_in_order(tenants: QuerySet[Tenant]) -> None:
    expected = list(tenants.order_by("-created_at", "-id").values_list("name", flat=True))
    assert walk(tenants, "/api/v1/x?limit=2") == expected
    assert walk(tenants, "/api/v1/x") == expected


def test_oldest_first_too(tenants: QuerySet[Tenant]) -> None:
    class OldestFirst:
        cursor_newest_first = False

    assert walk(tenants, "/api/v1/x?limit=3", OldestFirst) == list(
        tenants.order_by("created_at", "id").values_list("name", flat=True)
    )


def test_by_id_alone(tenants: QuerySet[Tenant]) -> None:
    class ById:
        cursor_field = "id"

    assert walk(tenants, "/api/v1/x?limit=3", ById) == list(tenants.order_by("-id").values_list("name", flat=True))


def test_rows_that_come_meanwhile_repeat_nothing(tenants: QuerySet[Tenant]) -> None:
    first = page(tenants, "/api/v1/x?limit=3")
    Tenant.objects.create(slug="page-new", name="new")
    rest = walk(tenants, first.data["next"])
    assert sorted(first.data["results"] + rest) == [str(number) for number in range(7)]


def test_filters_stay_in_the_next_address(tenants: QuerySet[Tenant]) -> None:
    following = page(tenants, "/api/v1/x?limit=2&label=a&label=b").data["next"]
    assert "label=a&label=b" in following
    assert "limit=2" in following


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=", "cursor=abc", "cursor=a:b:c"])
def test_odd_pages_are_refused(tenants: QuerySet[Tenant], query: str) -> None:
    with pytest.raises(Problem) as raised:
        page(tenants, f"/api/v1/x?{query}")
    assert raised.value.status == 400


def test_a_cursor_is_good_for_its_own_list_only(tenants: QuerySet[Tenant]) -> None:
    cursor = page(tenants, "/api/v1/x?limit=2").data["next_cursor"]
    with pytest.raises(Problem) as raised:
        page(tenants, f"/api/v1/y?cursor={cursor}")
    assert raised.value.code == "bad_cursor"
    assert cursor not in {None, ""}
