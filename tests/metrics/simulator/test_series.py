"""Made-up series are realistic, and the same wherever they are made."""

import numpy as np
import pytest

from metrics.catalogue import entries
from metrics.changes import ChangeDetector
from metrics.judging.changing import config_of
from metrics.simulator import events
from metrics.simulator.feeding import grid
from metrics.simulator.noise import drifting, normal, seed_of, uniform
from metrics.simulator.scenario import SEED, SERIES, Simulated, service_seed

NOW = 1_795_000_000.0
DAY = 86_400
FORTNIGHT = np.arange(NOW - 15 * DAY, NOW, 60) // 60 * 60


def course(key: str, **labels: str) -> np.ndarray:
    return one_of(key, **labels).values(FORTNIGHT)


def one_of(key: str, **labels: str) -> Simulated:
    return next(one for one in SERIES if one.key == key and labels.items() <= one.labels.items())


def test_every_area_of_the_catalogue_is_shown() -> None:
    assert {one.key for one in SERIES} == set(entries())
    names = [(one.metric, *sorted(one.labels.items())) for one in SERIES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("one", SERIES, ids=lambda one: f"{one.key}-{'-'.join(one.labels.values())}")
def test_values_can_be(one: Simulated) -> None:
    values = one.values(grid(NOW - 30 * DAY, NOW, one.step))
    known = entries()[one.key]
    assert np.all(np.isfinite(values))
    assert known.least is None or values.min() >= known.least
    assert known.most is None or values.max() <= known.most
    assert values.std() > 0


@pytest.mark.parametrize("one", SERIES[::4], ids=lambda one: one.key)
def test_any_part_of_a_series_is_the_same_as_in_the_whole(one: Simulated) -> None:
    at = grid(NOW - 2 * DAY, NOW, one.step)
    whole = one.values(at)
    parts = np.concatenate([one.values(part) for part in np.array_split(at, 7)])
    assert np.array_equal(whole, parts)


def test_chance_is_evenly_spread_and_has_no_memory() -> None:
    position = np.arange(200_000.0)
    even, bell = uniform(7, position), normal(7, position)
    assert abs(even.mean() - 0.5) < 0.005
    assert np.histogram(even, 10, (0, 1))[0].min() > 19_000
    assert (abs(bell.mean()), abs(bell.std() - 1)) < (0.01, 0.01)
    assert abs(np.corrcoef(bell[:-1], bell[1:])[0, 1]) < 0.01
    assert abs(np.corrcoef(normal(7, position), normal(8, position))[0, 1]) < 0.8
    assert np.abs(np.diff(drifting(3, np.arange(0, 10_000.0), 1000))).max() < 0.02


def test_listeners_follow_day_and_week() -> None:
    listeners = course("streaming.concurrent_listeners", region="eu")
    hour = (FORTNIGHT // 3600 + 1) % 24
    by_hour = [np.median(listeners[hour == one]) for one in range(24)]
    assert 18 <= int(np.argmax(by_hour)) <= 22
    assert max(by_hour) > 1.7 * min(by_hour)
    weekday = (FORTNIGHT - events.BEGINNING) // DAY % 7
    evening = (hour >= 18) & (hour <= 22)
    assert np.median(listeners[evening & (weekday == 5)]) > np.median(listeners[evening & (weekday == 1)])


def test_there_is_growth() -> None:
    at = np.arange(events.BEGINNING, events.BEGINNING + 360 * DAY, 3600.0)
    streams = one_of("streaming.monthly_streams", country="FR").values(at)
    assert 1.1 < streams[-500:].mean() / streams[:500].mean() < 1.4


def test_outages_are_rare_short_and_seen_by_all_who_depend_on_the_service() -> None:
    bad = events.outage(FORTNIGHT, service_seed("playback")) > 0.2
    assert 0.001 < bad.mean() < 0.05
    errors = course("technical.error_rate", service="playback")
    latency = course("technical.latency", service="playback")
    listeners = course("streaming.concurrent_listeners", region="eu")
    assert np.median(errors[bad]) > 20 * np.median(errors[~bad])
    assert np.median(latency[bad]) > 2 * np.median(latency[~bad])
    around = np.convolve(bad, np.ones(61), "same") > 0
    assert np.median(listeners[bad]) < 0.8 * np.median(listeners[around & ~bad])
    lengths = np.diff(np.flatnonzero(np.diff(bad.astype(int))))[::2]
    assert lengths.max() < 60


def test_services_do_not_fail_together() -> None:
    bad = [events.outage(FORTNIGHT, service_seed(name)) > 0 for name in ("api", "playback", "search")]
    assert not np.array_equal(bad[0], bad[1])
    assert not np.array_equal(bad[1], bad[2])


def test_a_broken_track_is_skipped_more_for_a_while() -> None:
    skips = course("streaming.skip_rate", track="paper-boats")
    assert 0.03 < (skips > 0.45).mean() < 0.2


def test_one_feature_drifts_over_its_limit_and_the_other_does_not() -> None:
    at = np.arange(NOW - 120 * DAY, NOW, 3600.0)
    assert (one_of("ai.drift_psi", feature="session_length").values(at) > 0.25).any()
    assert not (one_of("ai.drift_psi", feature="tempo").values(at) > 0.25).any()


def test_the_disk_fills_up_and_is_cleaned() -> None:
    disk = course("technical.saturation", resource="disk")
    assert disk.max() > 0.9
    assert np.diff(disk).min() < -0.3
    assert np.polyfit(np.arange(1440), disk[:1440], 1)[0] * 1440 == pytest.approx(0.45 / 14, abs=0.03)


def test_queues_grow_in_an_outage_and_drain_afterwards() -> None:
    at = np.arange(NOW - 30 * DAY, NOW, 60.0)
    queue = one_of("technical.queue_depth", queue="royalties").values(at)
    assert np.median(queue) < 2_000
    assert queue.max() > 8_000


def test_each_release_of_a_model_is_found_as_a_lasting_change() -> None:
    one = one_of("ai.generation_latency", model="cover-artist")
    at = FORTNIGHT[-3 * 1_440 :]
    level = events.versions(at, seed_of(SEED, one.key, "cover-artist"), every=3.5 * 3_600, cost=0.4)
    releases = at[1:][np.diff(level) != 0]
    found = list(ChangeDetector(config_of(0.5)).scan(at, one.values(at)))
    told = [any(abs(change.at - release) <= 300 for change in found) for release in releases]
    assert len(releases) >= 12
    assert sum(told) >= 0.9 * len(told)
    assert len(found) <= len(releases) + 2
