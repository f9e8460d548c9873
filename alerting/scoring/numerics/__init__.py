"""The arithmetic of scoring: arrays in, arrays out; no Django, no database."""
