"""Structured logs: one line an event, readable in a terminal or JSON, with secrets taken out."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"authorization|token|secret|password|webhook_url|phone|credential|api_key", re.IGNORECASE)
_SECRET_VALUES = re.compile(r"ak_[a-z]+_[0-9A-Za-z]{8}_[0-9A-Za-z]+|xox[abprs]-[0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secret values by a mark and drop control characters that could forge a line."""
    for key, value in event.items():
        if key == "_record":
            continue
        if _SECRET_KEYS.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = _CONTROL.sub(" ", _SECRET_VALUES.sub("[redacted]", value))
    return event


def logging_settings(form: str, level: str) -> dict[str, Any]:
    """Configure structlog and the standard library to share one output, and return the dictConfig used."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    settings = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "shared": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "shared"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "celery": {"propagate": True},
            # A line for every wake-up says nothing: what the work came to is in the counters and the timeline.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(settings)
    return settings
