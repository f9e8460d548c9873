"""Streaming anomaly detection: arrays in, judgements out; no Django, no labels, no look ahead."""

from metrics.detection.batch import Due, Evaluated, evaluate, warmed
from metrics.detection.config import DEFAULT, Config
from metrics.detection.forest import EntityForest, EntityJudgements
from metrics.detection.fused import Detector
from metrics.detection.judgement import SEASONS, Judgement, Judgements
from metrics.detection.registry import DEFAULT_KIND, DETECTORS, create, load
from metrics.detection.state import StateError
from metrics.detection.streaming import Streaming

__all__ = [
    "DEFAULT",
    "DEFAULT_KIND",
    "DETECTORS",
    "SEASONS",
    "Config",
    "Detector",
    "Due",
    "EntityForest",
    "EntityJudgements",
    "Evaluated",
    "Judgement",
    "Judgements",
    "StateError",
    "Streaming",
    "create",
    "evaluate",
    "load",
    "warmed",
]
