"""Units: what converts into what, and which values a unit cannot have."""

from typing import Final

# unit -> (what it measures, how many of the base unit one is)
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "ns": ("time", 1e-9),
    "us": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "seconds": ("time", 1.0),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "d": ("time", 86400.0),
    "B": ("bytes", 1.0),
    "bytes": ("bytes", 1.0),
    "kB": ("bytes", 1e3),
    "MB": ("bytes", 1e6),
    "GB": ("bytes", 1e9),
    "TB": ("bytes", 1e12),
    "KiB": ("bytes", 1024.0),
    "MiB": ("bytes", 1024.0**2),
    "GiB": ("bytes", 1024.0**3),
    "TiB": ("bytes", 1024.0**4),
    "ratio": ("share", 1.0),
    "%": ("share", 0.01),
    "percent": ("share", 0.01),
}

# Only what holds for every measurement in that unit: offsets of clocks are negative seconds, growth exceeds 100 %.
_LOWEST: Final[dict[str, float]] = {"bytes": 0.0, "B": 0.0, "count": 0.0, "probability": 0.0}
_HIGHEST: Final[dict[str, float]] = {"probability": 1.0}

#: A change of level by one of these factors looks like another unit.
FACTORS: Final = (1000.0, 1024.0, 1e6, 1e9, 60.0, 3600.0, 100.0, 8.0)


def factor(sent: str, kept: str) -> float | None:
    """What a value in the unit that was sent is multiplied by to be in the unit of its series; None: no way."""
    if sent == kept or not sent:
        return 1.0
    if not kept:
        return None
    ours, theirs = _UNITS.get(kept), _UNITS.get(sent)
    if ours is None or theirs is None or ours[0] != theirs[0]:
        return None
    return theirs[1] / ours[1]


def bounds(unit: str, kind: str) -> tuple[float, float]:
    """The lowest and highest value that can be true."""
    lowest = 0.0 if kind == "counter" else _LOWEST.get(unit, float("-inf"))
    return lowest, _HIGHEST.get(unit, float("inf"))
