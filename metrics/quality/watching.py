"""What the stream of a series shows: gaps, counter resets, stuck values, changes of scale; and its quality score.

Works on many series at once: samples come flat, sorted by series and time, each newer than what was seen before.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from metrics.quality.memory import Memory
from metrics.quality.units import FACTORS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: So many samples make up the recent past that the quality score speaks of.
RECENT: Final = 64
#: After so many samples the interval of a series is believed; a longer silence than so many intervals is a gap.
LEARNED: Final = 10
GAP_INTERVALS: Final = 2.5
#: Samples missing in one gap count at most so often: one night's outage is not worse than an hour's.
MOST_MISSING: Final = 32
#: A run of equal values is suspicious when chance would make it once in a million runs, and it has this length.
CHANCE: Final = np.log(1e-6)
SHORTEST_RUN: Final = 10
#: Another unit is believed after so many samples in a row at a factor from a level known to within this.
SHIFTED: Final = 5
STEADY: Final = 0.15
_LOG_FACTORS: Final = np.log10(np.array(FACTORS))


@dataclass(frozen=True, slots=True)
class Stream:
    """New samples of some series, which are positions in the memory; those of one series begin at `begins`."""

    series: Integers
    begins: Integers
    ms: Integers
    values: Floats
    #: Per series: last time (ms) and value before this batch; NaN when there was none.
    before_ms: Floats
    before_value: Floats
    is_counter: Flags


@dataclass(frozen=True, slots=True)
class Noticed:
    """Per series of the stream's `present`: what was seen in this batch."""

    present: Integers
    samples: Integers
    missing: Floats
    resets: Floats
    stuck: Floats
    scale_changes: Floats


def watch(stream: Stream, memory: Memory) -> Noticed:
    """Look at new samples, remember what they teach (in place), and return what was noticed."""
    present = stream.series[stream.begins]
    samples = np.diff(np.r_[stream.begins, len(stream.ms)])
    before_ms = _previous(stream.ms.astype(np.float64), stream.before_ms[present], stream.begins)
    before = _previous(stream.values, stream.before_value[present], stream.begins)
    missing = _watch_gaps(stream, memory, present, samples, before_ms)
    is_counter = stream.is_counter[present]
    with np.errstate(invalid="ignore"):
        fell = (stream.values < before).astype(np.float64)
    resets = np.where(is_counter, np.add.reduceat(fell, stream.begins), 0.0)
    stuck = np.where(is_counter, 0.0, _watch_runs(stream, memory, present, samples, before))
    scale_changes = np.where(is_counter, 0.0, _watch_scale(stream, memory, present, samples))
    memory.seen[present] += samples
    return Noticed(present, samples, missing, resets, stuck, scale_changes)


def score(memory: Memory, series: Integers, lost: Floats, samples: Floats) -> None:
    """Let what these samples lost in worth weigh on their series' damage; `samples` includes missing ones."""
    weight = 1.0 - (1.0 - 1.0 / RECENT) ** samples
    mean = np.minimum(1.0, lost / np.maximum(samples, 1.0))
    memory.damage[series] = np.clip(memory.damage[series] * (1.0 - weight) + mean * weight, 0.0, 1.0)


def _previous(values: Floats, before: Floats, begins: Integers) -> Floats:
    shifted: Floats = np.r_[np.nan, values[:-1]]
    shifted[begins] = before
    return shifted


def _watch_gaps(stream: Stream, memory: Memory, present: Integers, samples: Integers, before: Floats) -> Floats:
    """How many samples are missing per series; learn the interval from what is no gap."""
    seconds = np.maximum((stream.ms - before) / 1000.0, 0.001)
    is_learned = memory.seen[stream.series] >= LEARNED
    usual = np.exp(memory.log_interval[stream.series])
    with np.errstate(invalid="ignore"):
        intervals = np.where(is_learned, seconds / usual, 1.0)
        lost = np.where(intervals > GAP_INTERVALS, np.minimum(np.rint(intervals) - 1.0, MOST_MISSING), 0.0)
        # A gap teaches little: what lies far off is taken as four times or a quarter of the usual.
        clipped = np.where(is_learned, np.clip(seconds, usual / 4.0, usual * 4.0), seconds)
    taught = np.where(np.isnan(clipped), 0.0, np.log(np.where(np.isnan(clipped), 1.0, clipped)))
    count = np.add.reduceat((~np.isnan(clipped)).astype(np.float64), stream.begins)
    mean = np.add.reduceat(taught, stream.begins) / np.maximum(count, 1.0)
    is_first = (memory.seen[present] <= 1) & (count > 0)
    weight = np.where(is_first, 1.0, 1.0 - 0.9**count)
    memory.log_interval[present] += weight * (mean - memory.log_interval[present])
    return np.add.reduceat(np.nan_to_num(lost), stream.begins)


def _watch_runs(stream: Stream, memory: Memory, present: Integers, samples: Integers, before: Floats) -> Floats:
    """How many samples per series belong to a run of equal values too long for chance; zero is a usual value."""
    is_change = stream.values != before
    positions = np.arange(len(stream.values))
    last_change = np.maximum.accumulate(np.where(is_change, positions, -1))
    begin = np.repeat(stream.begins, samples)
    carried = np.repeat(memory.run[present], samples)
    run = np.where(last_change >= begin, positions - last_change, carried + positions - begin + 1)
    rate = np.clip(memory.change_rate[present], 0.0, 0.99)
    with np.errstate(divide="ignore"):
        chance = run * np.repeat(np.log1p(-rate), samples)
    is_stuck = (run >= SHORTEST_RUN) & (chance < CHANCE) & (stream.values != 0.0)
    # A run teaches by its first samples only, else a long one would teach that standing still is usual.
    counts = np.add.reduceat((run <= SHORTEST_RUN / 2).astype(np.float64), stream.begins)
    changes = np.add.reduceat((is_change & ~np.isnan(before)).astype(np.float64), stream.begins)
    weight = 1.0 - (1.0 - 1.0 / RECENT) ** counts
    memory.change_rate[present] += weight * (changes / np.maximum(counts, 1.0) - memory.change_rate[present])
    memory.run[present] = run[np.r_[stream.begins[1:], len(run)] - 1]
    return np.add.reduceat(is_stuck.astype(np.float64), stream.begins)


def _watch_scale(stream: Stream, memory: Memory, present: Integers, samples: Integers) -> Floats:
    """1 per series whose level moved by the factor between two units and stayed there."""
    size = np.abs(stream.values)
    is_sized = size > 0
    logs = np.log10(np.where(is_sized, size, 1.0))
    count = np.add.reduceat(is_sized.astype(np.float64), stream.begins)
    mean = np.add.reduceat(np.where(is_sized, logs, 0.0), stream.begins) / np.maximum(count, 1.0)
    level, spread = memory.level[present], memory.spread[present]
    off = np.abs(mean - level)
    is_known = (memory.seen[present] >= 3 * LEARNED) & (spread < STEADY) & (count > 0)
    near = np.min(np.abs(off[:, None] - _LOG_FACTORS[None, :]), axis=1) < np.maximum(0.05, 2.0 * spread)
    is_shifted = is_known & near & (off > 5.0 * spread)
    shifted = np.where(is_shifted, memory.shifted[present] + count, 0.0)
    is_believed = shifted >= SHIFTED
    weight = np.where(count > 0, 1.0 - (1.0 - 1.0 / RECENT) ** count, 0.0)
    weight = np.where(memory.seen[present] == 0, np.where(count > 0, 1.0, 0.0), weight)
    weight = np.where(is_believed, 1.0, np.where(is_shifted, 0.0, weight))
    deviation = np.add.reduceat(
        np.where(is_sized, np.abs(logs - np.repeat(level, samples)), 0.0), stream.begins
    ) / np.maximum(count, 1.0)
    is_anew = is_believed | (memory.seen[present] == 0)
    memory.spread[present] = np.where(is_anew, spread, spread + weight * (deviation - spread))
    memory.level[present] = level + weight * (mean - level)
    memory.shifted[present] = np.where(is_believed, 0.0, shifted)
    return is_believed.astype(np.float64)
