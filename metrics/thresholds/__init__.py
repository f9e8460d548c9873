"""Conditions over series as pure numerics: what is looked at, when it counts as crossed, when it is over."""
