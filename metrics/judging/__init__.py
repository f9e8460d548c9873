"""Judging what is new in series: from due rows to findings and alerts, set by set."""
