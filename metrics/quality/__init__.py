"""Looks at samples before anybody judges them: each is kept, repaired or put aside with a reason. Arrays only."""
