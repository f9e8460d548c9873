"""How much one alert and one request may hold."""

from typing import Final

MAX_BODY_BYTES: Final = 1_048_576
MAX_ALERTS: Final = 1_000

MAX_LABELS: Final = 64
MAX_LABEL_NAME: Final = 128
MAX_LABEL_VALUE: Final = 1_024
MAX_ANNOTATIONS: Final = 32
MAX_ANNOTATION_VALUE: Final = 8_192
MAX_URL: Final = 2_048
MAX_METRIC_NAME: Final = 256

MAX_FAULTS_OF_ITEM: Final = 10
