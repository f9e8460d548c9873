"""Threads: one message about each source, which later messages change and answer."""
