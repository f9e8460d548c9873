"""What Prometheus is told about phrases and their caches."""

from __future__ import annotations

from prometheus_client import Counter

HITS = Counter("phrase_cache_hits_total", "Phrases of a tenant found in a cache.", ["level"])
MISSES = Counter("phrase_cache_misses_total", "Phrases of a tenant not found in a cache.", ["level"])
INVALIDATIONS = Counter("phrase_cache_invalidations_total", "Cached phrases dropped for newer ones.", ["level"])
FALLBACKS = Counter("phrase_fallbacks_total", "Phrases not said in the reader's own language.", ["level"])
