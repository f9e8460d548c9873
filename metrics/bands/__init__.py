"""Adaptive thresholds: a band per series that follows its season and promises how rarely chance leaves it."""

from metrics.bands.config import Answer, BandConfig, Feedback, Limits
from metrics.bands.follow import Band, BandHistory, Bands

__all__ = ["Answer", "Band", "BandConfig", "BandHistory", "Bands", "Feedback", "Limits"]
