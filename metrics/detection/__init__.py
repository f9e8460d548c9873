"""Streaming anomaly detection: arrays in, judgements out; no Django, no labels, no look ahead."""

from metrics.detection.config import DEFAULT, Config
from metrics.detection.fused import Detector
from metrics.detection.judgement import SEASONS, Judgement, Judgements
from metrics.detection.state import StateError

__all__ = ["DEFAULT", "SEASONS", "Config", "Detector", "Judgement", "Judgements", "StateError"]
