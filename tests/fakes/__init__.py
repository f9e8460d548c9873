"""Real servers on loopback that answer as the providers do and keep what arrived."""
