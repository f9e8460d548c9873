"""What SMS needs beyond other channels: segments, numbers, short texts, and what it may cost."""
