"""How many messages a second one core writes for each kind of channel: all of the work but the call to the provider.

    python -m benchmarks.render [--seconds 3] [--profile slack|sms|email]

Each message differs from the one before it, so that nothing is answered from a cache of texts. CPU time is measured,
since other programs share the machine; the JSON in results/ is what `make bench-render` writes.
"""

import argparse
import cProfile
import itertools
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

RESULTS = Path(__file__).parent / "results" / "render.json"
AIMS = {"slack": 2000, "sms": 2000, "email": 500}
LOCALES = ("en", "fr", "de", "es", "it")
CHANNEL = "0192c0de-aaaa-7000-8000-00000000caff"


def set_up() -> None:
    """Make settings of nothing but what rendering needs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("ENVIRONMENT", "test")
    for name in ("SECRET_KEY", "API_KEY_PEPPER"):
        os.environ.setdefault(name, "benchmark")
    os.environ.setdefault("FIELD_ENCRYPTION_KEY", "dHlwaW5nLXR5cGluZy10eXBpbmctdHlwaW5nLXR5cGk=")
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1/nobody")
    import django

    django.setup()


def parcels() -> Iterator[Any]:
    """Endless deliveries, each with a title, labels, times and a language of its own."""
    import msgspec

    from channels.sending import Parcel
    from channels.templating.samples import sample_message

    sample = sample_message()
    for number in itertools.count(1):
        group = UUID(int=0x0192C0DEAAAA70008000_000000000000 + number)
        alerts = [
            msgspec.structs.replace(line, labels=line.labels | {"instance": f"db-{number}-{place}"})
            for place, line in enumerate(sample.alerts)
        ]
        message = msgspec.structs.replace(
            sample,
            title=f"Disk almost full on db-{number}",
            created_at=sample.created_at + timedelta(seconds=number),
            group_id=str(group),
            group_labels=sample.group_labels | {"shard": str(number)},
            alerts=alerts,
            locale=LOCALES[number % len(LOCALES)],
        )
        recipient = f"reader-{number}@example.com"
        yield Parcel(group, UUID(CHANNEL), 1, recipient, message.to_json(), 1, 0, 0, 3600.0, sample.created_at)


def line_of(kind: str) -> Any:
    """A channel ready to send, without a database."""
    from channels.registry import adapter
    from channels.sending import Line

    settings: dict[str, dict[str, Any]] = {
        "slack": {"channel": "#alerts"},
        "sms": {"to": ["+436641234567"], "sender": "+15005550006", "account_sid": "AC" + "0" * 32},
        "email": {"host": "mail.example.com", "to": ["a@example.com"], "from_address": "alerts@example.com"},
    }
    credentials = {
        "slack": {"token": "xoxb-1-2-3", "signing_secret": "0123456789abcdef"},
        "sms": {"auth_token": "0" * 32},
        "email": {},
    }
    made = adapter(kind)
    return Line(
        channel_id=UUID(CHANNEL),
        kind=kind,
        adapter=made,
        settings=made.settings_from(settings[kind]),
        credentials=made.credentials_from(credentials[kind]),
        template={},
        locale="",
        semantics="at_least_once",
    )


def writer_of(kind: str) -> Callable[[Any], object]:
    """What the adapter does with a rendered message before it calls the provider."""
    from channels.adapters.slack_cards import card
    from channels.mail.building import build_mail, to_bytes

    writers: dict[str, Callable[[Any], object]] = {
        "slack": lambda outgoing: json.dumps(card(outgoing, with_buttons=True)),
        "sms": lambda outgoing: outgoing.part("text"),
        "email": lambda outgoing: to_bytes(build_mail(outgoing)),
    }
    return writers[kind]


def measure(kind: str, seconds: float) -> dict[str, float]:
    """Write messages for so many seconds of CPU time."""
    line, write, source = line_of(kind), writer_of(kind), parcels()
    made = [next(source) for _number in range(5_000)]
    for parcel in made[:50]:
        write(line.outgoing(parcel))
    count, began, size = 0, time.process_time(), 0
    while (spent := time.process_time() - began) < seconds:
        written = write(line.outgoing(made[count % len(made)]))
        size += len(written) if isinstance(written, str | bytes) else 0
        count += 1
    return {
        "messages_per_second": round(count / spent, 1),
        "microseconds": round(spent / count * 1e6, 1),
        "bytes": round(size / count),
        "aim": AIMS[kind],
    }


def main() -> int:
    """Measure every kind, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--profile", choices=AIMS)
    options = parser.parse_args()
    set_up()
    if options.profile:
        measure(options.profile, 0.2)
        profile = cProfile.Profile()
        profile.enable()
        measure(options.profile, options.seconds)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        return 0
    found = {kind: measure(kind, options.seconds) for kind in AIMS}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for kind, figures in found.items():
        rate, aim = figures["messages_per_second"], figures["aim"]
        sys.stdout.write(f"{kind:6} {rate:>8.0f}/s (aim {aim:.0f}), {figures['microseconds']:.0f} us each\n")
    return 0 if all(one["messages_per_second"] >= one["aim"] for one in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
