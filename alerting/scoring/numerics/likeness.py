"""Which past alerts are like this one: shared words, the rare ones counting most.

A group is a bag of words: its labels as `name=value`, and the words of its title and summary. Likeness is the
weighted Jaccard index with inverse document frequencies as weights: 1 for the same words, 0 for none in common.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]{3,}")
#: Less alike than this is not worth a person's time.
WORTH_SHOWING: Final = 0.25
MAX_WORDS: Final = 120


def words_of(labels: Mapping[str, str], *texts: str) -> frozenset[str]:
    """The words of an alert or a group; numbers say nothing, they are of the moment."""
    told = (word.lower() for text in texts for word in _WORD.findall(text))
    pairs = (f"{name}={value}" for name, value in labels.items())
    return frozenset([word for word, _ in zip((*pairs, *told), range(MAX_WORDS), strict=False)])


def weights(documents: Iterable[frozenset[str]]) -> dict[str, float]:
    """The weight of each word: log((1 + documents) / (1 + documents with it)) + 1, smoothed as usual."""
    counts = Counter[str]()
    total = 0
    for words in documents:
        counts.update(words)
        total += 1
    return {word: math.log((1 + total) / (1 + count)) + 1 for word, count in counts.items()}


def likeness(one: frozenset[str], other: frozenset[str], weight: Mapping[str, float]) -> float:
    """How alike two bags of words are, from 0 to 1; a word without a weight counts as 1."""
    shared = sum(weight.get(word, 1.0) for word in one & other)
    both = sum(weight.get(word, 1.0) for word in one | other)
    return shared / both if both else 0.0


def most_alike(
    wanted: frozenset[str], others: Sequence[frozenset[str]], most: int, least: float = WORTH_SHOWING
) -> list[tuple[int, float]]:
    """The positions of those most like the wanted one with their likeness, best first."""
    weight = weights([wanted, *others])
    found = [(number, likeness(wanted, other, weight)) for number, other in enumerate(others)]
    return sorted((pair for pair in found if pair[1] >= least), key=lambda pair: -pair[1])[:most]
