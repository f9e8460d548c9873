"""A language model's view of a group: off by default, asked by a person, told nothing personal, never waited for."""
