"""Where trouble is found: metrics collected, judged and forecast."""
