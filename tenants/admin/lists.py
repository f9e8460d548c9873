"""Change lists over tables of any size."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

COUNT_UP_TO = 10_000


class BoundedPaginator(Paginator):
    """Counts up to a bound: nobody turns to page 200 of a list they can filter."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:COUNT_UP_TO].count()


class TenantChangeList(ChangeList):
    """Does not ask for the number of all rows besides those that were found."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count
