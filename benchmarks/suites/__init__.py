"""Synthetic suites with known truth, seeded, for the numerics that find and explain trouble."""
