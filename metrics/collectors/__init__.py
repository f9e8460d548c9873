"""One file for each kind of metric source."""
