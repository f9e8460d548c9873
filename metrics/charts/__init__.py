"""Pictures of findings: the series, its band, the limit and what was found."""
