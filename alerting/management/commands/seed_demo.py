"""`manage.py seed_demo`: make or complete the demo tenant."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from alerting.demo import Inbox, seed


class Command(BaseCommand):
    help = "Make the demo tenant, its admin and its key; development only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--out",
            type=Path,
            help="write what was made to this file, as JSON, instead of printing it; what in it still works stays",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("The demo tenant is for development; this environment is production.")
        out: Path | None = options["out"]
        made = json.dumps(seed(Inbox.from_environment(), _before(out)), indent=2)
        if out:
            out.touch(mode=0o600)
            out.write_text(made + "\n", encoding="utf-8")
        else:
            self.stdout.write(made)


def _before(out: Path | None) -> dict[str, str]:
    """Return what an earlier run wrote; a file that was cut short is as good as none."""
    try:
        known = json.loads(out.read_text(encoding="utf-8")) if out else {}
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
