"""Prometheus's remote write (version 1): snappy and protobuf, read with every length checked."""
