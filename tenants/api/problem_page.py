"""The page that a problem document's `type` points at: every kind with its status and title."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tenants.api.problem_kinds import KINDS
from tenants.api.problems import CONTENT_TYPE


@require_safe
def problem_kinds(request: HttpRequest) -> HttpResponse:
    """List the kinds, each under the anchor of its code."""
    return render(request, "problem_kinds.html", {"kinds": list(KINDS.items()), "content_type": CONTENT_TYPE})
