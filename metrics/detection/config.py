"""What a detector is told before it sees a series; the defaults are the same for every series."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """Parameters of the fused detector, chosen once on public data and never fitted to a series."""

    gap_memory: int = 12_000
    """How many past values a new one is compared with: more than a week of minutes."""
    gap_warmup: int = 20
    gap_scale: float = 0.016
    """The share of the range that counts as one unit of strangeness."""
    tail_memory: int = 20_000
    """Over how many past points a statistic is ranked."""
    overall_memory: int = 2000
    """The same for the fused strangeness: few, since a young detector finds more strange than an old one."""
    tail_warmup: int = 30
    tail_scale: float = 1.7
    """How many powers of ten of improbability count as one unit of strangeness."""
    levels: tuple[float, ...] = (2.2, 2.7, 3.4)
    """Fused strangeness at which an alarm of each level is raised."""
    alarm: float = 2.7
    """The fused strangeness that reads as a score of 1."""
    rest_share: float = 0.04
    """After an alarm its level rests for this share of the points seen."""
    rest_most: int = 150
    growth: float = 4.0
    """A resting level is woken by this multiple of the worst since its alarm."""
    zone: str = "UTC"
    """The time zone in which days and weeks are counted."""
    country: str = ""
    """ISO code of the country whose holidays count as Sundays; none when empty."""

    def __post_init__(self) -> None:
        sizes = (
            self.gap_memory,
            self.gap_warmup,
            self.tail_memory,
            self.overall_memory,
            self.tail_warmup,
            self.rest_most,
        )
        scales = (self.gap_scale, self.tail_scale, self.alarm, self.growth, *self.levels)
        if min(sizes) < 1 or min(scales) <= 0.0 or self.rest_share < 0.0:
            raise ValueError("sizes and scales must be positive")
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise ValueError("levels must rise")


DEFAULT = Config()
