"""What happens to a music service: people's days and weeks, releases, deployments, outages, models growing old."""

from __future__ import annotations

from typing import Final

import numpy as np

from metrics.simulator.noise import Floats, drifting, uniform

HOUR: Final = 3_600.0
DAY: Final = 86_400.0
WEEK: Final = 7 * DAY
#: A Monday at midnight UTC; growth is counted from here.
BEGINNING: Final = 1_767_571_200.0
OUTAGE_SLOT: Final = 8 * HOUR
OUTAGE_CHANCE: Final = 0.22
TRAINING_EVERY: Final = 9 * DAY


def habits(at: Floats, *, peak: float, depth: float, weekend: float, offset: float = 0.0) -> Floats:
    """Return how many people are there, about 1: most at the hour `peak` of their zone, more or fewer at weekends."""
    hour = ((at - BEGINNING) / HOUR + offset) % 24
    angle = 2 * np.pi * (hour - peak) / 24
    # The second wave makes mornings steep and evenings long.
    day = 1 + depth * (0.8 * np.cos(angle) + 0.2 * np.cos(2 * angle))
    weekday = ((at - BEGINNING) / DAY + offset / 24) % 7
    # Friday evening to Sunday night, with soft edges.
    is_weekend = 1 / (1 + np.exp(-8 * (weekday - 4.8))) * 1 / (1 + np.exp(8 * (weekday - 6.9)))
    found: Floats = day * (1 + weekend * is_weekend)
    return found


def growth(at: Floats, seed: int, *, a_year: float) -> Floats:
    """Return a trend: so much more in a year, with good and bad months."""
    years = (at - BEGINNING) / (365 * DAY)
    found: Floats = np.exp(np.log1p(a_year) * years) * (1 + 0.04 * drifting(seed, at, 30 * DAY))
    return found


def releases(at: Floats, seed: int, *, lift: float) -> Floats:
    """Return the lift of new albums: on every other Friday or so, gone after about a week."""
    total = np.ones_like(at)
    for back in range(3):
        week = np.floor((at - BEGINNING) / WEEK) - back
        begins = BEGINNING + week * WEEK + 4 * DAY
        age = (at - begins) / DAY
        happens = uniform(seed, week) < 0.5
        strength = lift * (0.5 + uniform(seed + 7, week))
        total += np.where(happens & (age >= 0), strength * np.exp(-np.maximum(age, 0.0) / 2.5), 0.0)
    return total


def outage(at: Floats, seed: int) -> Floats:
    """Return how bad an outage is, 0 to 1: sudden, ten to forty minutes, in about every fifth part of a day."""
    total = np.zeros_like(at)
    for back in range(2):
        slot = np.floor(at / OUTAGE_SLOT) - back
        begins = (slot + uniform(seed, slot)) * OUTAGE_SLOT
        lasts = 600 + 1800 * uniform(seed + 3, slot)
        happens = uniform(seed + 5, slot) < OUTAGE_CHANCE
        share = (at - begins) / lasts
        # It sets in within a minute or two and is repaired step by step.
        course = np.clip(share * 10, 0, 1) * np.clip((1 - share) * 4, 0, 1)
        worst = 0.4 + 0.6 * uniform(seed + 9, slot)
        total = np.maximum(total, np.where(happens & (share > 0) & (share < 1), course * worst, 0.0))
    return total


def deployments(at: Floats, seed: int, *, chance: float, cost: float) -> Floats:
    """Return the level since the last deployment (Tuesdays and Thursdays at ten): sometimes worse by `cost`."""
    half_week = np.floor((at - BEGINNING - DAY - 10 * HOUR) / (WEEK / 2))
    is_worse = uniform(seed, half_week) < chance
    found: Floats = 1 + np.where(is_worse, cost * (0.5 + uniform(seed + 2, half_week)), 0.0)
    return found


def versions(at: Floats, seed: int, *, every: float, cost: float) -> Floats:
    """Return the level under the version that is out: each release, one in about `every` seconds, makes another one."""
    slot = np.floor(at / every)
    begins = (slot + uniform(seed, slot)) * every
    version = np.where(at >= begins, slot, slot - 1)
    # Good and bad ones take turns, so that each release is to be seen.
    found: Floats = 1 + cost * (0.6 + 0.4 * uniform(seed + 1, version)) * (version % 2)
    return found


def ageing(at: Floats, seed: int) -> Floats:
    """Return how old a model is in terms of its data, 0 after a training; some of them age faster than others."""
    training = np.floor((at - seed % DAY) / TRAINING_EVERY)
    age = ((at - seed % DAY) % TRAINING_EVERY) / TRAINING_EVERY
    speed = 0.25 + uniform(seed, training) ** 2
    found: Floats = speed * age**1.4
    return found


def filling(at: Floats, seed: int, *, every: float, low: float, high: float) -> Floats:
    """Return a store that fills evenly and is cleaned out once in a while."""
    share = ((at - seed % DAY) % every) / every
    found: Floats = low + (high - low) * share + 0.004 * drifting(seed, at, 3 * HOUR)
    return found


def backlog(at: Floats, seed: int) -> Floats:
    """Return how much waits in a queue, about 0 to 1: it grows while consumers are out and drains in an hour."""
    total = np.zeros_like(at)
    for minutes in range(0, 90, 5):
        weight = 1.0 if minutes < 25 else np.exp(-(minutes - 25) / 18)
        total = np.maximum(total, weight * outage(at - minutes * 60, seed))
    return total
