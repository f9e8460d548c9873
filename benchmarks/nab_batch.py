"""How long a new point of one series among many takes, its state read and written."""

import time

import numpy as np

from metrics.detection import DETECTORS, Due, evaluate, warmed

WARM = 20_160  # two weeks of minutes: every memory is full
MINUTE = 60.0
STATES = 8
ROUNDS = 25
SERIES = 10_000


def history(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values with a daily season and noise."""
    noise = np.random.default_rng(seed)
    at = 1_700_000_000.0 + MINUTE * np.arange(WARM)
    season = 20.0 * np.sin(2.0 * np.pi * at / 86_400.0 + seed)
    return at, 100.0 + season + noise.normal(0.0, 3.0, WARM)


def measure_batch() -> dict[str, dict[str, float]]:
    """Return for each kind of detector the milliseconds a series takes, and the seconds of 10,000 on one core."""
    figures = {}
    for kind in DETECTORS:
        states = []
        for seed in range(STATES):
            at, values = history(seed)
            states.append((at[-1], warmed(at, values, kind).dump()))
        began, largest = time.process_time(), 0
        for step in range(1, ROUNDS + 1):
            due = [
                Due(key, np.array([last + MINUTE * step]), np.array([100.0 + step % 7]), state, kind)
                for key, (last, state) in enumerate(states)
            ]
            states = [(last, done.state) for (last, _), done in zip(states, evaluate(due), strict=True)]
            largest = max(largest, *(len(state) for _, state in states))
        spent = (time.process_time() - began) / (STATES * ROUNDS)
        figures[kind] = {
            "milliseconds_a_series": round(1e3 * spent, 2),
            "seconds_for_10000_series": round(SERIES * spent, 1),
            "state_bytes": largest,
        }
    return figures
