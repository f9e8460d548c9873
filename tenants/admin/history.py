"""The history of one object, read from the audit log."""

from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from tenants.admin.changes import changes_of
from tenants.admin.names import names_in
from tenants.models import AuditEntry

PER_PAGE = 50


def history_page(model_admin: Any, request: HttpRequest, obj: models.Model) -> TemplateResponse:
    """Return the page with every audit entry about an object, newest first."""
    entries = AuditEntry._default_manager.filter(object_type=model_admin.opts.model_name, object_id=str(obj.pk))
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("p", "1"))
    names = names_in(page)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("History of %(name)s") % {"name": obj},
        "page": page,
        "lines": [(entry, changes_of(entry, names)) for entry in page],
        "object": obj,
        "opts": model_admin.opts,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/tenants/history.html", context)
