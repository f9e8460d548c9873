"""`manage.py seed_metrics`: give the demo tenant its made-up metrics and their past."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from metrics import demo


class Command(BaseCommand):
    help = "Give the demo tenant made-up metrics with two weeks of past; development only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--budget", type=float, default=10.0, help="seconds, after which the rest is left to beat")

    def handle(self, *args: Any, **options: Any) -> None:
        stored = demo.seed(options["budget"])
        self.stdout.write(f"{stored} made-up samples stored.")
