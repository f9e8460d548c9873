"""The secrets of a development checkout: made once, kept in var/secrets.env, readable by its owner only."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

RECIPES: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "API_KEY_PEPPER": lambda: secrets.token_urlsafe(32),
    "POSTGRES_OWNER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "POSTGRES_APP_PASSWORD": lambda: secrets.token_urlsafe(24),
}


def load(file: Path) -> dict[str, str]:
    """Return the checkout's secrets; those that are not there yet are made and kept."""
    known: dict[str, str] = {}
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        known = dict(line.split("=", 1) for line in lines if "=" in line)
    missing = {name: make() for name, make in RECIPES.items() if name not in known}
    if missing:
        write_private(file, "".join(f"{name}={value}\n" for name, value in (known | missing).items()))
    return known | missing


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = file.with_name(f".{file.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    unfinished.replace(file)
