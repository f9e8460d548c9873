"""Deployment check: every adapter that the settings list can be loaded."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Tags as CheckTags
from django.utils.module_loading import import_string


@register(CheckTags.compatibility, deploy=True)
def check_adapters(**_: Any) -> list[CheckMessage]:
    """Name each adapter that would fail when the first message needs it, such as one whose package is missing."""
    errors: list[CheckMessage] = []
    for path in settings.CHANNEL_ADAPTERS:
        try:
            import_string(path)()
        except Exception as error:  # whatever its module raises is what the operator must read
            hint = f"{type(error).__name__}: {error}"
            errors.append(Error(f"The channel adapter {path} cannot be loaded.", hint=hint, id="channels.E001"))
    return errors
