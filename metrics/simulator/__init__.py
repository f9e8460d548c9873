"""Made-up metrics for development: realistic, and the same for the same seed and time wherever they are made."""

from metrics.simulator.feeding import feed

__all__ = ["feed"]
