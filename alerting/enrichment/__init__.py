"""Enrichment: configured changes to the labels and annotations of alerts, in order, each accounted for."""

from alerting.enrichment.base import Changes, Step, StepError
from alerting.enrichment.chain import Applied, Chain, Enriched, StepRow
from alerting.enrichment.registry import compile_step, kinds, step_class

__all__ = [
    "Applied",
    "Chain",
    "Changes",
    "Enriched",
    "Step",
    "StepError",
    "StepRow",
    "compile_step",
    "kinds",
    "step_class",
]
