"""How far what a threshold finds can be trusted: people's verdicts, its precision, what happened to its alerts."""
