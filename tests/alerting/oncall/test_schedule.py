"""The final schedule: layers, overrides, swaps, gaps and the next hand-over."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from alerting.oncall.rotation import Layer, Restriction, Unit
from alerting.oncall.schedule import Override, Schedule, final, gaps, next_hand_over, on_call, shift_around

ANN, BOB, CID, DAN = (UUID(int=number) for number in (1, 2, 3, 4))
NAMES = {ANN: "ann", BOB: "bob", CID: "cid", DAN: "dan"}
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def layer(*people: UUID, **more: object) -> Layer:
    fields = {"unit": Unit.DAILY, "starts_at": datetime(2026, 6, 1), "id": UUID(int=7), "name": "one", **more}
    return Layer(people=people, **fields)  # type: ignore[arg-type]


def schedule(*layers: Layer, overrides: tuple[Override, ...] = ()) -> Schedule:
    return Schedule(id=UUID(int=5), name="ops", time_zone="UTC", layers=layers, overrides=overrides)


def override(person: UUID, start: float, end: float, replaces: UUID | None = None) -> Override:
    return Override(
        id=UUID(int=8),
        person=person,
        starts_at=MONDAY + start * HOUR,
        ends_at=MONDAY + end * HOUR,
        replaces=replaces,
    )


def told(one: Schedule, hours: float = 48) -> list[str]:
    """Who is on call in which hours after Monday midnight."""
    return [
        f"{NAMES[shift.person]} {(shift.starts_at - MONDAY) / HOUR:g}-{(shift.ends_at - MONDAY) / HOUR:g}"
        for shift in final(one, MONDAY, MONDAY + hours * HOUR)
    ]


def test_a_later_layer_covers_the_one_before_it() -> None:
    office = layer(CID, restrictions=(Restriction(time(9), time(17)),))
    assert told(schedule(layer(ANN, BOB), office), 24) == ["ann 0-9", "cid 9-17", "ann 17-24"]


def test_an_override_takes_the_place_of_whoever_it_would_be() -> None:
    assert told(schedule(layer(ANN, BOB), overrides=(override(DAN, 20, 30),))) == ["ann 0-20", "dan 20-30", "bob 30-48"]


def test_of_two_overrides_the_later_one_wins() -> None:
    both = (override(DAN, 2, 8), override(CID, 4, 6))
    assert told(schedule(layer(ANN), overrides=both), 12) == ["ann 0-2", "dan 2-4", "cid 4-6", "dan 6-8", "ann 8-12"]


def test_a_swap_replaces_one_person_only() -> None:
    swap = override(BOB, 0, 48, replaces=ANN)
    assert told(schedule(layer(ANN, CID), overrides=(swap,))) == ["bob 0-24", "cid 24-48"]


def test_a_swap_both_ways() -> None:
    both = (override(BOB, 0, 24, replaces=ANN), override(ANN, 24, 48, replaces=BOB))
    assert told(schedule(layer(ANN, BOB), overrides=both)) == ["bob 0-24", "ann 24-48"]


def test_an_override_fills_a_gap() -> None:
    office = layer(ANN, restrictions=(Restriction(time(9), time(17)),))
    one = schedule(office, overrides=(override(DAN, 17, 20),))
    assert told(one, 24) == ["ann 9-17", "dan 17-20"]
    empty = gaps(final(one, MONDAY, MONDAY + 24 * HOUR), MONDAY, MONDAY + 24 * HOUR)
    assert empty == [(MONDAY, MONDAY + 9 * HOUR), (MONDAY + 20 * HOUR, MONDAY + 24 * HOUR)]


def test_who_is_on_call_at_a_moment() -> None:
    one = schedule(layer(ANN, BOB, restrictions=(Restriction(time(9), time(17)),)))
    assert on_call(one, MONDAY) is None
    for hour, person in ((9, ANN), (16.99, ANN), (33, BOB)):
        found = on_call(one, MONDAY + hour * HOUR)
        assert found is not None
        assert found.person == person
    assert on_call(one, MONDAY + 17 * HOUR) is None


def test_a_shift_is_told_from_its_beginning_to_its_end() -> None:
    one = schedule(layer(ANN, BOB), overrides=(override(DAN, 30, 40),))
    for hour, person, start, end in ((5, ANN, 0, 24), (29, BOB, 24, 30), (30, DAN, 30, 40), (47, BOB, 40, 48)):
        found = shift_around(one, MONDAY + hour * HOUR)
        assert found is not None
        assert (found.person, found.starts_at, found.ends_at) == (person, MONDAY + start * HOUR, MONDAY + end * HOUR)
    weeks = shift_around(schedule(layer(ANN, BOB, unit=Unit.WEEKLY, every=10)), MONDAY + 24 * HOUR)
    assert weeks is not None
    assert weeks.ends_at == MONDAY + timedelta(weeks=10)
    alone = shift_around(schedule(layer(ANN)), MONDAY + HOUR)
    assert alone is not None
    assert alone.ends_at > MONDAY + timedelta(days=365)
    assert shift_around(schedule(), MONDAY) is None


def test_the_next_hand_over_is_when_somebody_else_or_nobody_follows() -> None:
    two = schedule(layer(ANN, BOB))
    assert next_hand_over(two, MONDAY + HOUR) == MONDAY + 24 * HOUR
    office = schedule(layer(ANN, restrictions=(Restriction(time(9), time(17)),)))
    assert next_hand_over(office, MONDAY + HOUR) == MONDAY + 9 * HOUR
    assert next_hand_over(office, MONDAY + 10 * HOUR) == MONDAY + 17 * HOUR
    assert next_hand_over(office, MONDAY + 17 * HOUR) == MONDAY + 33 * HOUR


def test_one_person_alone_never_hands_over_and_an_end_is_one() -> None:
    assert next_hand_over(schedule(layer(ANN)), MONDAY) is None
    assert next_hand_over(schedule(), MONDAY) is None
    ended = layer(ANN, ends_at=datetime(2026, 8, 1))
    assert next_hand_over(schedule(ended), MONDAY) == datetime(2026, 8, 1, tzinfo=UTC)
