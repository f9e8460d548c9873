"""Reads and verifies what providers call us about; pure functions without database or HTTP framework."""
