"""Which names labels and annotations may have, checked once per name and remembered."""

import re
from collections.abc import Iterable
from typing import Final

from alerting.decoding.limits import MAX_LABEL_NAME

PATTERN: Final = r"[a-zA-Z_][a-zA-Z0-9_.:/-]*"
_NAME = re.compile(PATTERN)
_MOST_REMEMBERED = 20_000

_good: set[str] = set()


def is_name(name: str) -> bool:
    """Say whether this may name a label or an annotation."""
    return len(name) <= MAX_LABEL_NAME and _NAME.fullmatch(name) is not None


def are_names(names: Iterable[str]) -> bool:
    """Say whether all of these are names; cheap for names seen before."""
    if _good.issuperset(names):
        return True
    if not all(map(is_name, names)):
        return False
    if len(_good) > _MOST_REMEMBERED:
        _good.clear()
    _good.update(names)
    return True
