"""Running a threshold over the stored past: which alerts it would have raised, against those that were."""

from metrics.backtest.compare import Comparison, compare

__all__ = ["Comparison", "compare"]
