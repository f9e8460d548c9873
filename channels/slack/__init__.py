"""Slack's two ways: what its buttons carry, what its calls say, and what they are answered."""
