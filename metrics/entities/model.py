"""What is usual for one entity: the season of each of its metrics, and a forest over what is left of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerting.scoring.numerics.packing import Array, BadModel, pack, unpack
from metrics.detection import Config, EntityForest, StateError
from metrics.entities.grid import Floats, Piece, rows_of
from metrics.seasons import Calendar, Kind, Points, Season, cells_of, learn_season

NAME: Final = "entity"
VERSION: Final = 1
#: Under so many rows nothing is known of how metrics move together.
LEAST_ROWS: Final = 240
LEAST_METRICS: Final = 2
MOST_METRICS: Final = 32
#: A metric is left out that is known in a smaller share of the rows.
LEAST_KNOWN: Final = 0.5
SEASON_CELL: Final = 3_600.0
#: The whole history of two weeks of minutes ranks how strange a row is.
CONFIG: Final = Config(overall_memory=20_000)
STRONGEST: Final = 3
#: A metric that makes a row by so little less strange is no reason, unless there is no other.
LEAST_SHARE: Final = 0.05


class TooLittle(ValueError):
    """There is not enough history yet to know what is usual."""


@dataclass(frozen=True)
class Looked:
    """Rows as they were judged: `depth` is how many powers of ten of improbability; `parts` by metric."""

    at: Floats
    values: Floats
    usual: Floats
    depth: Floats
    parts: list[dict[str, float]]


class EntityModel:
    """Fitted in the background from history; judging learns nothing, so that any process can do it at any time."""

    def __init__(self, forest: EntityForest, seasons: Sequence[Season], step: float) -> None:
        self.forest, self.seasons, self.step = forest, tuple(seasons), step

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics it knows, in the order of their columns."""
        return self.forest.names

    @classmethod
    def fit(cls, pieces: Sequence[Piece], start: float, end: float, step: float, calendar: Calendar) -> EntityModel:
        """Learn from history, step by step; raises TooLittle."""
        names = sorted({piece.metric for piece in pieces})[:MOST_METRICS]
        first, last = int(start // step), int(end // step) - 1
        begun = [piece.at[0] for piece in pieces if len(piece.at)]
        first = max([first, *([int(min(begun) // step)] if begun else [])])
        if not begun or last - first + 1 < LEAST_ROWS:
            raise TooLittle(f"{max(0, last - first + 1)} rows")
        rows = rows_of(pieces, names, first, last, step)
        known = np.isfinite(rows).mean(axis=0) >= LEAST_KNOWN
        if known.sum() < LEAST_METRICS:
            raise TooLittle(f"{known.sum()} metrics")
        kept = [name for name, is_known in zip(names, known, strict=True) if is_known]
        rows = rows[:, known]
        at = middles(first, last, step)
        seasons = [_season(at, column, calendar) for column in rows.T]
        rest = rows - np.column_stack([season.at(at) for season in seasons])
        return cls(EntityForest.fit(kept, rest, config=CONFIG), seasons, step)

    def look(self, pieces: Sequence[Piece], first: int, last: int) -> Looked:
        """Judge the steps of these numbers; rows in which fewer than two metrics are known say nothing (depth 0)."""
        values = rows_of(pieces, self.names, first, last, self.step)
        at = middles(first, last, self.step)
        season = np.column_stack([one.at(at) for one in self.seasons])
        found = self.forest.look(values - season)
        is_known = np.isfinite(values).sum(axis=1) >= LEAST_METRICS
        depth = np.where(is_known, -np.log10(np.maximum(found.probability, 1e-300)), 0.0)
        usual = self.forest.isolation.frame.middle + season
        return Looked(at + 0.5 * self.step, values, usual, depth, found.parts)

    def tell(self, looked: Looked, index: int, units: Mapping[str, str]) -> dict[str, Any]:
        """Why a row is striking: the metrics that make it so, the strongest first, with what they are and usually are.

        Their shares are how much less strange the row were with this metric as usual.
        """
        columns = {name: place for place, name in enumerate(self.names)}
        strongest = list(looked.parts[index].items())[:STRONGEST]
        strongest = [part for part in strongest if part[1] >= LEAST_SHARE] or strongest[:1]
        told = [
            {
                "metric": name,
                "value": float(looked.values[index, columns[name]]),
                "usual": float(looked.usual[index, columns[name]]),
                "unit": units.get(name, ""),
            }
            for name, _share in strongest
            if np.isfinite(looked.values[index, columns[name]])
        ]
        kinds = [season.kind for season in self.seasons]
        return {
            "features": {name: round(share, 3) for name, share in strongest},
            "metrics": told,
            "probability": float(10.0 ** -looked.depth[index]),
            "season": str(max(kinds, key=list(Kind).index)),
            "certainty": round(1.0 - float(10.0 ** -looked.depth[index]), 4),
        }

    def usual_of(self, name: str, at: Floats) -> tuple[Floats, float]:
        """What is usual for one of its metrics at these times, and the deviation from it."""
        column, frame = self.names.index(name), self.forest.isolation.frame
        usual: Floats = self.seasons[column].at(at) + frame.middle[column]
        return usual, float(frame.scale[column])

    def dump(self) -> bytes:
        """All that was learned, as versioned parameters."""
        arrays: dict[str, Array] = {"forest": np.frombuffer(self.forest.dump(), np.uint8)}
        facts: dict[str, Any] = {"step": self.step}
        for place, season in enumerate(self.seasons):
            arrays[f"profile_{place}"] = season.profile
            facts[f"season_{place}"], facts[f"strength_{place}"] = season.kind.value, season.strength
        return pack(NAME, VERSION, arrays, facts)

    @classmethod
    def load(cls, data: bytes, calendar: Calendar) -> EntityModel:
        """Read what `dump` wrote; raises BadModel for anything else."""
        arrays, facts = unpack(data, NAME, VERSION)
        try:
            forest = EntityForest.load(arrays["forest"].tobytes())
            seasons = [
                Season(Kind(facts[f"season_{place}"]), profile_of(arrays[f"profile_{place}"]),
                       float(facts[f"strength_{place}"]), calendar)
                for place in range(len(forest.names))
            ]  # fmt: skip
            return cls(forest, seasons, float(facts["step"]))
        except StateError as error:
            raise BadModel("The forest cannot be read.") from error
        except (KeyError, TypeError, ValueError) as error:
            raise BadModel("A part of the model is missing.") from error


def middles(first: int, last: int, step: float) -> Floats:
    """The times in the middle of steps."""
    return np.arange(first + 0.5, last + 1.0) * step


def profile_of(stored: Array) -> Floats:
    """A stored profile, a row for each weekday; raises BadModel for another shape."""
    if stored.ndim != 2 or len(stored) != 7 or not stored.shape[1] or stored.dtype != np.float64:
        raise BadModel("A season has another shape.")
    return stored


def _season(at: Floats, values: Floats, calendar: Calendar) -> Season:
    known = np.isfinite(values)
    return learn_season(cells_of(Points(at[known], values[known]), SEASON_CELL), calendar)
