"""The series of the demo tenant: a music service with listeners, revenue, models and machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from metrics.catalogue import entries
from metrics.simulator import events
from metrics.simulator.noise import Floats, drifting, normal, seed_of

MINUTE, FIVE_MINUTES, HOUR = 60, 300, 3_600
SEED: Final = "music"
Shape = Callable[[Floats, int], Floats]


@dataclass(frozen=True, eq=False)
class Simulated:
    """One made-up series: a metric of the catalogue, what tells it apart, how often it is measured, and its course."""

    key: str
    labels: dict[str, str]
    step: int
    shape: Shape

    @property
    def metric(self) -> str:
        """The name of the series."""
        return entries()[self.key].metric

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return entries()[self.key].unit

    def values(self, at: Floats) -> Floats:
        """Return the values at these times, within what the catalogue says can be."""
        one = entries()[self.key]
        seed = seed_of(SEED, self.key, *sorted(self.labels.values()))
        low = -np.inf if one.least is None else one.least
        high = np.inf if one.most is None else one.most
        found: Floats = np.clip(self.shape(at, seed), low, high)
        return found


def service_seed(name: str) -> int:
    """Return the seed by which everything that a service does shares its outages."""
    return seed_of(SEED, "service", name)


def people(size: float, *, offset: float = 0.0, a_year: float = 0.2, harmed_by: str = "playback") -> Shape:
    """Listeners: habits, growth, releases; they are gone while the service that they use is out."""

    def shape(at: Floats, seed: int) -> Floats:
        level = size * events.habits(at, peak=20, depth=0.55, weekend=0.18, offset=offset)
        level *= events.growth(at, seed, a_year=a_year) * events.releases(at, seed_of(SEED, "release"), lift=0.15)
        level *= 1 - 0.75 * events.outage(at, service_seed(harmed_by))
        level *= 1 + 0.03 * drifting(seed + 11, at, 40 * 60)
        found: Floats = np.round(level * (1 + normal(seed + 13, at / MINUTE) * np.sqrt(2.0 / size)))
        return found

    return shape


def slow_ratio(level: float, *, swing: float, wander: float, noise: float, harmed_by: str = "") -> Shape:
    """A ratio or mean that follows the day a little and wanders over weeks."""

    def shape(at: Floats, seed: int) -> Floats:
        course = 1 + swing * (events.habits(at, peak=21, depth=1.0, weekend=0.1) - 1)
        course += wander * drifting(seed, at, 6 * events.DAY)
        if harmed_by:
            course -= 0.35 * events.outage(at, service_seed(harmed_by))
        found: Floats = level * course * (1 + noise * normal(seed + 3, at / MINUTE))
        return found

    return shape


def track_skips(level: float, *, worsens: bool = False) -> Shape:
    """How often a track is skipped; one of them was delivered broken and is repaired after a day, now and then."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level * (1 + 0.06 * (events.habits(at, peak=8, depth=1.0, weekend=0.0) - 1))
        if worsens:
            week = np.floor((at - events.BEGINNING) / events.WEEK)
            begins = events.BEGINNING + week * events.WEEK + 1.4 * events.DAY
            course += np.where((at > begins) & (at < begins + 0.9 * events.DAY), 0.24, 0.0)
        found: Floats = course + 0.015 * normal(seed, at / MINUTE)
        return found

    return shape


def answer_time(level: float, service: str, *, noise: float = 0.08) -> Shape:
    """Latency: higher under load, after some deployments, and far higher in an outage."""

    def shape(at: Floats, seed: int) -> Floats:
        load = events.habits(at, peak=20, depth=0.55, weekend=0.15)
        course = level * (0.75 + 0.25 * load) * events.deployments(at, service_seed(service), chance=0.3, cost=0.35)
        course *= 1 + 9 * events.outage(at, service_seed(service))
        found: Floats = course * np.exp(noise * normal(seed, at / MINUTE) + 0.04 * drifting(seed + 5, at, 1800))
        return found

    return shape


def released_often(level: float, *, cost: float) -> Shape:
    """Latency of a model that gets a new version every few hours, at no hour of its own: every other one is slower."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level * events.versions(at, seed, every=3.5 * HOUR, cost=cost)
        found: Floats = course * np.exp(0.05 * normal(seed + 4, at / MINUTE))
        return found

    return shape


def failures(level: float, service: str) -> Shape:
    """The share of requests that fail."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level * np.exp(0.35 * normal(seed, at / MINUTE))
        found: Floats = course + 0.3 * events.outage(at, service_seed(service))
        return found

    return shape


def load_of(level: float, service: str) -> Shape:
    """How busy a service's processors are."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level * events.habits(at, peak=20, depth=0.5, weekend=0.15)
        course *= events.deployments(at, service_seed(service), chance=0.3, cost=0.15)
        found: Floats = course + 0.02 * normal(seed, at / MINUTE) + 0.3 * events.outage(at, service_seed(service))
        return found

    return shape


def waiting(level: float, service: str) -> Shape:
    """How many messages wait."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level * events.habits(at, peak=14, depth=0.4, weekend=-0.3) * np.exp(0.3 * normal(seed, at / MINUTE))
        found: Floats = np.round(course + 25_000 * events.backlog(at, service_seed(service)))
        return found

    return shape


def old_data(reach: float, floor: float) -> Shape:
    """How far a feature has drifted from the training."""

    def shape(at: Floats, seed: int) -> Floats:
        course = reach * events.ageing(at, seed_of(SEED, "training"))
        found: Floats = floor * np.exp(0.25 * normal(seed, at / HOUR)) + course
        return found

    return shape


def precision(level: float) -> Shape:
    """How many recommendations are played: fewer as the model grows old."""

    def shape(at: Floats, seed: int) -> Floats:
        course = level - 0.09 * events.ageing(at, seed_of(SEED, "training"))
        found: Floats = course + 0.006 * normal(seed, at / MINUTE)
        return found

    return shape


def disk(at: Floats, seed: int) -> Floats:
    """A disk that fills in a fortnight and is then cleaned."""
    return events.filling(at, seed, every=14 * events.DAY, low=0.52, high=0.97)


def monthly(size: float) -> Shape:
    """A sum over thirty days: smooth, with a trend."""

    def shape(at: Floats, seed: int) -> Floats:
        course = size * events.growth(at, seed, a_year=0.25)
        found: Floats = np.round(course * (1 + 0.01 * drifting(seed + 1, at, 5 * events.DAY)))
        return found

    return shape


SERIES: Final = (
    *(
        Simulated("streaming.concurrent_listeners", {"region": region}, MINUTE, people(size, offset=offset))
        for region, size, offset in (("eu", 52_000, 1), ("us", 61_000, -6), ("latam", 23_000, -4))
    ),
    *(
        Simulated("streaming.skip_rate", {"track": track}, FIVE_MINUTES, track_skips(level, worsens=worsens))
        for track, level, worsens in (
            ("midnight-tram", 0.24, False),
            ("paper-boats", 0.31, True),
            ("north", 0.19, False),
        )
    ),
    *(
        Simulated(
            "streaming.listening_time",
            {"platform": platform},
            FIVE_MINUTES,
            slow_ratio(level, swing=0.12, wander=0.02, noise=0.02, harmed_by="playback"),
        )
        for platform, level in (("ios", 1_860.0), ("android", 1_540.0), ("web", 1_120.0))
    ),
    *(
        Simulated("streaming.monthly_streams", {"country": country, "platform": "all"}, HOUR, monthly(size))
        for country, size in (("FR", 41e6), ("DE", 48e6), ("US", 120e6))
    ),
    *(
        Simulated(
            "revenue.revenue_per_stream",
            {"country": country},
            HOUR,
            slow_ratio(level, swing=0.02, wander=0.015, noise=0.004),
        )
        for country, level in (("FR", 0.0041), ("DE", 0.0046), ("US", 0.0052))
    ),
    *(
        Simulated(
            "revenue.premium_conversion",
            {"country": country, "offer": "student"},
            HOUR,
            slow_ratio(level, swing=0.1, wander=0.05, noise=0.03, harmed_by="payment"),
        )
        for country, level in (("FR", 0.041), ("US", 0.036))
    ),
    Simulated(
        "revenue.lifetime_value", {"segment": "family"}, HOUR, slow_ratio(186.0, swing=0.0, wander=0.02, noise=0.002)
    ),
    Simulated("revenue.churn", {"plan": "premium"}, HOUR, slow_ratio(0.031, swing=0.0, wander=0.05, noise=0.02)),
    *(
        Simulated(key, {label: value}, FIVE_MINUTES, people(size, harmed_by="api"))
        for key, label, value, size in (
            ("engagement.playlist_adds", "platform", "ios", 420.0),
            ("engagement.playlist_adds", "platform", "android", 510.0),
            ("engagement.shares", "network", "instagram", 160.0),
            ("engagement.shares", "network", "whatsapp", 230.0),
            ("engagement.interactions", "platform", "ios", 2_600.0),
            ("engagement.interactions", "platform", "android", 3_100.0),
        )
    ),
    Simulated("ai.recommendation_precision", {"model": "recommendations", "k": "10"}, FIVE_MINUTES, precision(0.31)),
    Simulated("ai.generation_latency", {"model": "playlist-writer"}, MINUTE, answer_time(1.7, "generation", noise=0.1)),
    Simulated("ai.generation_latency", {"model": "cover-artist"}, MINUTE, released_often(2.4, cost=0.4)),
    *(
        Simulated(key, {"model": "recommendations", "feature": feature}, HOUR, old_data(reach * scale, floor))
        for key, scale, floor in (("ai.drift_psi", 1.0, 0.02), ("ai.drift_ks", 0.6, 0.025))
        for feature, reach in (("tempo", 0.06), ("session_length", 0.34))
    ),
    *(
        Simulated(key, {"service": service, **more}, MINUTE, shape(level, service))
        for service, latency, errors, busy in (
            ("api", 0.18, 0.0015, 0.42),
            ("playback", 0.12, 0.0008, 0.47),
            ("search", 0.26, 0.002, 0.38),
        )
        for key, more, shape, level in (
            ("technical.latency", {}, answer_time, latency),
            ("technical.error_rate", {}, failures, errors),
            ("technical.saturation", {"resource": "cpu"}, load_of, busy),
        )
    ),
    Simulated("technical.saturation", {"service": "storage", "resource": "disk"}, MINUTE, disk),
    *(
        Simulated("technical.queue_depth", {"queue": queue}, MINUTE, waiting(level, queue))
        for queue, level in (("royalties", 900.0), ("ingest", 350.0))
    ),
)
