"""On-call schedules: who is on call when, worked out from rotations, layers, overrides and swaps."""
