"""The page of rows that have a kind: it shows the fields of the chosen kind, and no secret."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.admin.struct_fields import field_names
from channels.admin.struct_form import PARTS, StructForm
from tenants.admin.base import TenantModelAdmin


class StructAdmin(TenantModelAdmin):
    """Rows with a kind, settings and credentials. Who only looks sees the settings as they are stored."""

    struct_form: ClassVar[type[StructForm]]

    @property
    def conditional_fields(self) -> dict[str, str]:
        """Show the fields of a kind only while that kind is chosen."""
        known = self.struct_form.known
        return {
            name: f"kind == '{kind}'"
            for kind in known.kinds()
            for part in PARTS
            for name in field_names(known.get(kind), part)
        }

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        options["form"] = self.struct_form.of_kinds(self._kinds(obj), is_new=obj is None)
        return super().get_form(request, obj, change=change, **options)

    def is_only_shown(self, request: HttpRequest, obj: Any) -> bool:
        """Whether a person looks at a row that they may not change."""
        return obj is not None and not self.has_change_permission(request, obj)

    def sections(self, obj: Any) -> list[Any]:
        """Return the fields of the kinds that a form offers, and those of their credentials."""
        kinds = [self.struct_form.known.get(kind) for kind in self._kinds(obj)]
        head = ["name", "kind", *(name for one in kinds for name in field_names(one, "settings"))]
        credentials = [name for one in kinds for name in field_names(one, "credentials")]
        if obj is not None:
            credentials.append("forget_credentials")
        secret = {"fields": credentials, "description": _("Kept encrypted and never shown again.")}
        return [(None, {"fields": head}), (_("Credentials"), secret)]

    def _kinds(self, obj: Any) -> list[str]:
        kinds = self.struct_form.known.kinds()
        return [kind for kind in kinds if obj is None or kind == obj.kind]

    def kind_title(self, row: Any) -> str:
        return self.struct_form.known.title(row.kind)

    kind_title.short_description = gettext_lazy("kind")  # type: ignore[attr-defined]
    kind_title.admin_order_field = "kind"  # type: ignore[attr-defined]

    def settings_text(self, row: Any) -> str:
        given = ((name, value) for name, value in row.settings.items() if value not in (None, "", [], {}))
        return " · ".join(f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in given)

    settings_text.short_description = gettext_lazy("settings")  # type: ignore[attr-defined]
