"""Where samples and rollups stand: what their bytes mean, how they are written, read and dropped."""
