"""`manage.py remove_tenant`: delete what a tenant owns."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.models import Tenant
from tenants.removal import StillWritten, remove


class Command(BaseCommand):
    help = "Switch a tenant off and delete every row it owns: alerts, messages, samples, models. The audit log stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--confirm", required=True, metavar="SLUG", help="the slug once more: there is no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        if options["confirm"] != slug:
            raise CommandError(f"--confirm must repeat the slug {slug!r}; nothing was removed.")
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        try:
            removed = remove(tenant)
        except StillWritten as error:
            raise CommandError(f"Rows of {slug!r} are still being written; stop that and run this again.") from error
        for table, count in sorted(removed.items()):
            self.stdout.write(f"{table}: {count}")
        self.stdout.write(f"Removed {sum(removed.values())} rows of {slug!r}; its audit log stays.")
