"""Read the settings of a deployment from environment variables, typed, with clear errors."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class EnvironmentFault(Exception):
    """A variable is missing or does not hold what it must; the text says which and what to do."""


class Environment:
    """Typed access to environment variables.

    `NAME_FILE` may name a file that holds the value of `NAME`, as container secrets do.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value, or the default; raise EnvironmentFault when neither is there."""
        if file := self.values.get(f"{name}_FILE"):
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise EnvironmentFault(f"{name}_FILE names {file}, which cannot be read: {error.strerror}.") from error
        value = self.values.get(name, default)
        if value is None:
            raise EnvironmentFault(f"Set the environment variable {name} (see the configuration table in README.md).")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes/no value."""
        raw = self.text(name, "1" if default else "0").lower()
        if raw in {"1", "true", "yes", "on"}:
            return True
        if raw in {"0", "false", "no", "off", ""}:
            return False
        raise EnvironmentFault(f"{name} must be 1 or 0, not {raw!r}.")

    def integer(self, name: str, default: int) -> int:
        """Return a whole number."""
        raw = self.text(name, str(default))
        try:
            return int(raw)
        except ValueError:
            raise EnvironmentFault(f"{name} must be a whole number, not {raw!r}.") from None

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a comma-separated list."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def database(self, name: str, default: str | None = None) -> dict[str, Any]:
        """Return a Django DATABASES entry from a `postgresql://user:password@host:port/name?option=x` address."""
        parts = urlsplit(self.text(name, default))
        if parts.scheme not in {"postgres", "postgresql"}:
            raise EnvironmentFault(f"{name} must start with postgresql://, not {parts.scheme}://.")
        options = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django_prometheus.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", unquote(parts.hostname or "")),
            "PORT": str(parts.port or ""),
            "OPTIONS": options,
        }
