"""How likely it is that people act on an alert: a calibrated logistic regression over its words, with a prior.

Learned from what a tenant's people did: acknowledged, commented, took, resolved by hand (acted), or let it pass
(ignored). A new tenant gets what its sender's severity suggests; those prior examples stay in the fit with a fixed
weight, so that evidence takes over as it comes. Words are hashed (Weinberger et al., "Feature Hashing", ICML 2009).
The logit is calibrated on folds the fit did not see (Platt 1999), and the measured error is stored with the model.
"""

import math
from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerting.scoring.numerics.packing import BadModel, pack, unpack

NAME: Final = "urgency"
VERSION: Final = 1
WIDTH: Final = 4_096
FOLDS: Final = 5
#: Below so many examples of each outcome the prior alone speaks.
LEAST_OF_EACH: Final = 10
#: What severity alone suggests, and how many examples that is worth.
PRIOR: Final = {10: 0.05, 20: 0.3, 30: 0.6, 40: 0.9}
PRIOR_WEIGHT: Final = 8.0
#: From which probability on an alert is worth each severity; the prior of each severity leads to itself.
LEVELS: Final = ((0.75, 40), (0.45, 30), (0.15, 20), (0.0, 10))
BINS: Final = 10
MOST_FACTORS: Final = 3
#: A word that says less than this in logits is no factor.
LOUD: Final = 0.1


class Case(msgspec.Struct, gc=False):
    """One alert group as this model looks at it; `acted` is None when nobody knows yet."""

    words: tuple[str, ...]
    severity: int
    acted: bool | None = None


class Factor(msgspec.Struct, frozen=True):
    """A word and how much it speaks for (positive) or against people acting, in logits."""

    word: str
    weight: float


class Urgency(msgspec.Struct, frozen=True):
    """How likely people act, the severity that suggests, and the words that spoke loudest."""

    probability: float
    severity: int
    factors: tuple[Factor, ...]


class Quality(msgspec.Struct, frozen=True):
    """How the model did on folds it had not seen.

    `calibration_error` is the mean distance between said and seen frequency (ECE, ten bins), `brier` the mean
    squared error, `precision` the share of acted among those said to be worth at least `error`.
    """

    examples: int
    acted: int
    brier: float
    prior_brier: float
    calibration_error: float
    precision: float | None


class UrgencyModel:
    """Weights of words, and the calibration of their sum."""

    def __init__(
        self, weights: NDArray[np.float32], bias: float, slope: float, shift: float, quality: Quality | None
    ) -> None:
        self._weights, self._bias = weights, bias
        self._slope, self._shift = slope, shift
        #: As plain numbers: an alert has a dozen words, and looking each up in an array would cost ten times as much.
        self._says: list[float] = (weights.astype(np.float64) * slope).tolist()
        self.quality = quality

    @classmethod
    def prior(cls) -> "UrgencyModel":
        """What is known of a tenant of which nothing is known: its senders' severities."""
        weights = np.zeros(WIDTH, np.float32)
        for severity, probability in PRIOR.items():
            weights[_column(_said(severity))] = math.log(probability / (1 - probability))
        return cls(weights, 0.0, 1.0, 0.0, None)

    @classmethod
    def learn(cls, cases: Sequence[Case]) -> "UrgencyModel":
        """Fit to what people did; the prior where they did too little."""
        known = [case for case in cases if case.acted is not None]
        outcome = np.array([bool(case.acted) for case in known], dtype=bool)
        if min(outcome.sum(), (~outcome).sum()) < LEAST_OF_EACH:
            return cls.prior()
        columns = _matrix(known)
        unseen = _out_of_fold(columns, known, outcome)
        slope, shift = _platt(unseen, outcome)
        weights, bias = _fit(columns, outcome)
        probability = _sigmoid(slope * unseen + shift)
        return cls(weights, bias, slope, shift, _quality(known, outcome, probability))

    def judge(self, cases: Sequence[Case]) -> list[Urgency]:
        """How urgent each is, and why."""
        return [self._judge(case) for case in cases]

    def _judge(self, case: Case) -> Urgency:
        words = (_said(case.severity), *case.words)
        weights = [self._says[crc32(word.encode()) % WIDTH] for word in words]
        probability = _chance(sum(weights) + self._bias * self._slope + self._shift)
        loud = [(word, weight) for word, weight in zip(words, weights, strict=True) if abs(weight) >= LOUD]
        loud.sort(key=_loudness, reverse=True)
        factors = tuple(Factor(word, round(weight, 2)) for word, weight in loud[:MOST_FACTORS])
        return Urgency(probability, level(probability), factors)

    def dump(self) -> bytes:
        """The model as bytes; only weights that say something."""
        index = np.flatnonzero(np.abs(self._weights) > 1e-4).astype(np.uint16)
        facts: dict[str, Any] = {"bias": self._bias, "slope": self._slope, "shift": self._shift}
        facts["quality"] = msgspec.json.encode(self.quality).decode() if self.quality else ""
        return pack(NAME, VERSION, {"index": index, "weight": self._weights[index]}, facts)

    @classmethod
    def load(cls, data: bytes) -> "UrgencyModel":
        """Read what `dump` wrote; raises BadModel for anything else."""
        arrays, facts = unpack(data, NAME, VERSION)
        try:
            weights = np.zeros(WIDTH, np.float32)
            weights[arrays["index"]] = arrays["weight"]
            quality = msgspec.json.decode(facts["quality"], type=Quality) if facts["quality"] else None
            return cls(weights, float(facts["bias"]), float(facts["slope"]), float(facts["shift"]), quality)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BadModel("The weights of the model do not fit together.") from error


def level(probability: float) -> int:
    """The severity a probability of people acting is worth."""
    return next(severity for least, severity in LEVELS if probability >= least)


def _loudness(said: tuple[str, float]) -> float:
    return abs(said[1])


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, logit))))


def _said(severity: int) -> str:
    return f"severity={severity}"


def _column(word: str) -> int:
    return crc32(word.encode()) % WIDTH


def _matrix(cases: Sequence[Case]) -> Any:
    from scipy.sparse import csr_matrix

    columns = [[_column(_said(case.severity)), *map(_column, case.words)] for case in cases]
    indices = np.concatenate([np.array(row) for row in columns])
    ends = np.cumsum([0, *map(len, columns)])
    return csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(cases), WIDTH))


def _fit(columns: Any, outcome: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Fit with the prior as further examples: each severity, acted and not, weighted by its prior."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    told = [Case((), severity) for severity in PRIOR]
    both = vstack([columns, _matrix(told), _matrix(told)])
    shares = np.array(list(PRIOR.values()))
    weight = np.concatenate([np.ones(len(outcome)), PRIOR_WEIGHT * shares, PRIOR_WEIGHT * (1 - shares)])
    labels = np.concatenate([outcome, np.ones(len(told), bool), np.zeros(len(told), bool)])
    model = LogisticRegression(C=0.5, max_iter=300).fit(both, labels, sample_weight=weight)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _out_of_fold(columns: Any, cases: Sequence[Case], outcome: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The logit of each case by a fit that had not seen it; folds by turns, both outcomes in each."""
    fold = np.empty(len(cases), dtype=int)
    for value in (False, True):
        own = np.flatnonzero(outcome == value)
        fold[own] = np.arange(len(own)) % FOLDS
    logits = np.empty(len(cases))
    for number in range(FOLDS):
        out = fold == number
        weights, bias = _fit(columns[~out], outcome[~out])
        logits[out] = columns[out] @ weights.astype(np.float64) + bias
    return logits


def _platt(logits: NDArray[np.float64], outcome: NDArray[np.bool_]) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0).fit(logits[:, None], outcome)
    slope = float(model.coef_[0, 0])
    # A slope at or below zero says that the words say nothing: then the share of those acted on speaks alone.
    return (slope, float(model.intercept_[0])) if slope > 0 else (0.0, float(model.intercept_[0]))


def _quality(cases: Sequence[Case], outcome: NDArray[np.bool_], probability: NDArray[np.float64]) -> Quality:
    before = np.array([PRIOR.get(case.severity, 0.3) for case in cases])
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [abs(probability[own].mean() - outcome[own].mean()) * own.sum() for own in _members(bins)]
    urgent = probability >= LEVELS[1][0]
    return Quality(
        examples=len(cases),
        acted=int(outcome.sum()),
        brier=float(((probability - outcome) ** 2).mean()),
        prior_brier=float(((before - outcome) ** 2).mean()),
        calibration_error=float(sum(gaps) / len(cases)),
        precision=float(outcome[urgent].mean()) if urgent.any() else None,
    )


def _members(bins: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    return [bins == number for number in range(BINS) if (bins == number).any()]


def _sigmoid(logits: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0))))
