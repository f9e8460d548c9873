"""How much one push may hold."""

from typing import Final

MAX_BODY_BYTES: Final = 1_048_576
MAX_SERIES: Final = 10_000
MAX_SAMPLES: Final = 50_000

MAX_METRIC: Final = 256
MAX_UNIT: Final = 32
MAX_LABELS: Final = 64
MAX_LABEL_VALUE: Final = 1_024
MAX_FAULTS: Final = 100
