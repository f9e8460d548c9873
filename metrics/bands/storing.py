"""A band as bytes and back."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np

from alerting.scoring.numerics.packing import BadModel, pack, unpack
from metrics.bands.memory import Memory
from metrics.bands.model import HOURS, Model
from metrics.bands.tail import Tail
from metrics.seasons import Kind, Season

if TYPE_CHECKING:
    from metrics.bands.follow import Bands

NAME = "band"
VERSION = 1


def dump(bands: Bands) -> bytes:
    """Write what a band has learned and the cell it has open."""
    model = bands.model
    numbers: dict[str, Any] = {
        "closed": bands.closed,
        "cell": bands._cell,
        "cell_seconds": bands.config.cell_seconds,
        "level": model.level,
        "kind": model.season.kind.value,
        "strength": model.season.strength,
        "upper": astuple(model.upper),
        "lower": astuple(model.lower),
    }
    arrays = {
        "at": bands._at,
        "values": bands._values,
        "factors": bands.factors,
        "profile": model.season.profile,
        "scale": model.scale,
    }
    memory = {f"memory_{name}": array for name, array in bands.memory.arrays().items()}
    return pack(NAME, VERSION, arrays | memory, numbers)


def restore(bands: Bands, data: bytes) -> None:
    """Fill an empty band from bytes. Raises BadModel when they are not one, or of cells of another length."""
    arrays, numbers = unpack(data, NAME, VERSION, may_lack=True)
    if numbers.get("cell_seconds") != bands.config.cell_seconds:
        raise BadModel("the state was learned with cells of another length")
    try:
        memory = Memory(**{name[len("memory_") :]: a for name, a in arrays.items() if name.startswith("memory_")})
        season = Season(Kind(numbers["kind"]), arrays["profile"], float(numbers["strength"]), bands.config.calendar)
        upper, lower = (Tail(*(float(part) for part in numbers[name])) for name in ("upper", "lower"))
        bands.model = Model(season, float(numbers["level"]), arrays["scale"], upper, lower)
        bands.closed = int(numbers["closed"])
        bands._cell = None if numbers["cell"] is None else int(numbers["cell"])
        bands._at, bands._values, bands.factors = arrays["at"], arrays["values"], arrays["factors"]
    except (KeyError, TypeError, ValueError) as error:
        raise BadModel("the state lacks a part") from error
    sizes = {array.shape for array in memory.arrays().values()}
    if len(sizes) > 1 or bands.model.scale.shape != (HOURS,) or bands.factors.shape != (2,) or season.profile.ndim != 2:
        raise BadModel("the parts of the state do not fit together")
    if not np.isfinite(bands.factors).all():
        raise BadModel("the factors are no numbers")
    bands.memory = memory
