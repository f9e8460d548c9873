"""`manage.py relay`: keep waiting work moving, with or without Redis and Celery."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from alerting.relay import Relay


class Command(BaseCommand):
    help = "Wake workers for waiting work and do what nobody takes; run two or more."

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, relay.stop)
        relay.run()
