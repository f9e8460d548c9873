"""The detectors of single series that a threshold may choose, by name."""

from metrics.detection.config import DEFAULT, Config
from metrics.detection.fused import Detector
from metrics.detection.shape_forest import ShapeForest
from metrics.detection.spot import TailDetector
from metrics.detection.state import StateError, unpack
from metrics.detection.streaming import Streaming, read_kind

DETECTORS: dict[str, type[Streaming]] = {kind.kind: kind for kind in (Detector, TailDetector, ShapeForest)}
DEFAULT_KIND = Detector.kind


def create(kind: str = DEFAULT_KIND, config: Config = DEFAULT) -> Streaming:
    """Return a new detector of a kind; KeyError when there is none of that name."""
    return DETECTORS[kind](config)


def load(blob: bytes) -> Streaming:
    """Return the detector whose state this is, of whichever kind; StateError when it is none."""
    kind = read_kind(unpack(blob))
    if kind not in DETECTORS:
        raise StateError("unknown kind of detector")
    return DETECTORS[kind].load(blob)
