"""Bring the translations of pages and API errors in step with the source."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import translations


class Command(BaseCommand):
    help = "Extract every string into locale/*/LC_MESSAGES/django.po and compile them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strict", action="store_true", help="fail when a string is not translated")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = translations.refresh()
        for language, count in missing.items():
            self.stdout.write(f"{language}: {count} not translated")
        if options["strict"] and any(missing.values()):
            raise CommandError("Some strings are not translated.")
