"""Asks due sources for their values, many at once in one task, and stores what they bring."""

from metrics.collecting.shard import collect_shard
from metrics.collecting.trial import Trial, try_source

__all__ = ["Trial", "collect_shard", "try_source"]
