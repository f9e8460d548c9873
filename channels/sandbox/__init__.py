"""Runs tenants' templates so that they can do nothing but make text; imports no Django."""
