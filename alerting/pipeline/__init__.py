"""The pipeline: accepted requests become alerts, groups, timers and timeline events, many at a time."""
