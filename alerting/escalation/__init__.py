"""Escalation: calls one person after the other while nobody acknowledges a group."""
