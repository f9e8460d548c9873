"""Many series are judged in one go, each from its own state."""

import numpy as np

from metrics.detection import Config, Due, create, evaluate, load, warmed
from tests.metrics.detection.series import daily, minutes

AT = minutes(3)


def test_each_series_continues_where_it_left_off() -> None:
    series = {key: daily(AT, seed=key) for key in range(4)}
    due = [Due(key, AT[700:], values[700:], warmed(AT[:700], values[:700]).dump()) for key, values in series.items()]

    for done in evaluate(due):
        whole = create().update_many(AT, series[done.key])
        assert np.array_equal(done.judgements.score, whole.score[700:])
        assert load(done.state).seen == len(AT)
        assert not done.restarted


def test_a_series_without_state_is_warmed_from_history() -> None:
    values = daily(AT)

    (done,) = evaluate([Due(1, AT[700:], values[700:], history_at=AT[:700], history_values=values[:700])])

    assert np.array_equal(done.judgements.raw, create().update_many(AT, values).raw[700:])


def test_a_broken_state_costs_only_its_own_series() -> None:
    good = warmed(AT, daily(AT)).dump()
    new = AT[-1:] + 300.0

    broken, whole = evaluate([Due(1, new, np.ones(1), b"nonsense"), Due(2, new, np.ones(1), good)])

    assert broken.restarted
    assert load(broken.state).seen == 1
    assert load(whole.state).seen == len(AT) + 1


def test_other_parameters_or_another_kind_start_anew() -> None:
    state = warmed(AT, daily(AT)).dump()
    new = AT[-1:] + 300.0

    done = list(
        evaluate(
            [
                Due(1, new, np.ones(1), state, kind="tail"),
                Due(2, new, np.ones(1), state, config=Config(zone="Asia/Tokyo")),
            ]
        )
    )

    assert [one.restarted for one in done] == [True, True]
    assert load(done[0].state).kind == "tail"
