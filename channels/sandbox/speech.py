"""The functions and filters by which a template speaks the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2.runtime import Context

from channels.languages import speaking
from channels.sandbox.budget import bounded

MAX_VALUE = 500


class Function:
    """A function that templates may call; printed by mistake it shows nothing."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., str]) -> None:
        self._call = call

    def __call__(self, *args: Any, **values: Any) -> str:
        return bounded(self._call(*args, **values))

    def __str__(self) -> str:
        return ""

    __repr__ = __str__


def t(key: object, **values: object) -> str:
    """Say the phrase of that key, such as `t("counts.alerts", n=3)`."""
    voice = speaking()
    return voice.t(str(key), **{name: _plain(value) for name, value in values.items()})


def number(value: object, digits: int = 2) -> str:
    """Write a number."""
    return speaking().number(_plain(value), int(digits))


def money(value: object, currency: object = "") -> str:
    """Write an amount in a currency."""
    return speaking().money(_plain(value), str(currency)[:10])


def unit(value: object, name: object = "") -> str:
    """Write a measured value with its unit, such as `unit(96.4, "%")`."""
    return speaking().unit(_plain(value), str(name)[:40])


def when(value: object, style: object = "auto") -> str:
    """Write a time in the reader's zone; style is auto, full, date or time."""
    return speaking().when(value, str(style))


def ago(value: object, width: object = "long") -> str:
    """Say how long before the message a time was."""
    return speaking().ago(value, str(width))


def duration(seconds: object, width: object = "long") -> str:
    """Say a number of seconds."""
    return speaking().duration(_plain(seconds), str(width))


def sentences(alert: object) -> list[str]:
    """Say what an alert is about, as much as this kind of channel has room for."""
    return speaking().sentences(alert) if isinstance(alert, Mapping) else []


def functions() -> dict[str, Function]:
    """Return every function by name."""
    return {call.__name__: Function(call) for call in (t, number, money, unit, when, ago, duration)}


def filters() -> dict[str, Any]:
    """Return the same as filters, bound to the rendering so that none is worked out when a template is compiled."""
    return {call.__name__: _bound(call) for call in (number, money, unit, when, ago, duration, sentences)}


def _bound(call: Callable[..., Any]) -> Callable[..., Any]:
    @jinja2.pass_context
    def speak(_context: Context, *args: Any, **values: Any) -> Any:
        return call(*args, **values)

    return speak


def _plain(value: object) -> object:
    if value is None or isinstance(value, jinja2.Undefined):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return str(value)[:MAX_VALUE]
