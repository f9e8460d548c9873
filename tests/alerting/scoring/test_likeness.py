"""Which past alerts are like this one."""

from alerting.scoring.numerics.likeness import MAX_WORDS, likeness, most_alike, weights, words_of


def test_the_same_is_alike_and_the_foreign_is_not() -> None:
    one = words_of({"alertname": "DiskFull", "service": "shop"}, "The disk of web-1 is 97 % full")
    assert likeness(one, one, weights([one])) == 1.0
    assert likeness(one, words_of({"alertname": "Slow"}, "latency"), {}) == 0.0
    assert likeness(frozenset(), frozenset(), {}) == 0.0


def test_numbers_and_short_words_say_nothing() -> None:
    assert words_of({}, "97 % of 12 GB at 10:30 is full") == {"full"}


def test_rare_words_count_most() -> None:
    wanted = words_of({"env": "prod", "alertname": "CertificateExpires"})
    others = [words_of({"env": "prod", "alertname": f"Other{number}"}) for number in range(20)]
    others.append(words_of({"env": "test", "alertname": "CertificateExpires"}))
    (best, _score), *_rest = most_alike(wanted, others, 3)
    assert best == 20


def test_only_so_many_words_and_only_what_is_worth_showing() -> None:
    assert len(words_of({f"l{number}": "x" for number in range(500)})) == MAX_WORDS
    assert most_alike(words_of({"a": "b"}), [words_of({"c": "d"})], 5) == []
