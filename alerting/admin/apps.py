"""Django's admin without its log table: our audit log takes its place."""

from django.contrib.admin.apps import SimpleAdminConfig


class AdminWithoutLogConfig(SimpleAdminConfig):
    """Brings the admin's templates, tags and static files; its one model, LogEntry, is never loaded.

    A stray write to the log would be a second, weaker audit trail without a tenant; so it cannot exist.
    """

    def import_models(self) -> None:
        self.models = self.apps.all_models[self.label] if self.apps else {}
