"""Several metrics of one entity judged together: each may be within its own range while they do not fit together."""
