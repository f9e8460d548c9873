"""Arrays of numbers in answers."""

from __future__ import annotations

import math
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "array", "items": {"type": "number", "nullable": True}})
class Numbers(serializers.ReadOnlyField):
    """Numbers as a list; what is no number (JSON has none such) is null."""

    def to_representation(self, value: Any) -> list[float | None]:
        return [round(one, 6) if math.isfinite(one) else None for one in value.tolist()]
