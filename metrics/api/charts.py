"""The door of charts: no key, the signed address itself is the secret."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def finding_chart(request: HttpRequest, token: str) -> HttpResponse:
    """The chart of one finding as a PNG."""
    from metrics.charts.finding import picture  # draws with Pillow, which nothing else here needs

    image = picture(token)
    if image is None:
        raise Http404
    response = HttpResponse(image, content_type="image/png")
    response["Cache-Control"] = "private, max-age=60"
    return response
