"""The door of the calendar feeds: no key, the address itself is the secret."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from alerting.oncall.feeds import calendar


@require_safe
def on_call_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The shifts of one schedule as an .ics file."""
    text = calendar(token)
    if text is None:
        raise Http404
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=300"
    return response
