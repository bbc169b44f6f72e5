"""Wilson's lower bound: figures that can be checked by hand, and what holds for all of them."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance.scope.wilson import Z_95, lower_bound

SHARES = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("accepted", "n", "bound"),
    [
        # 20 of 20: p = 1, so the bound is n / (n + z²) = 20 / 23.8415.
        (20, 20, 0.8389),
        (19, 20, 0.7639),
        (24, 25, 0.8046),
        (23, 24, 0.7976),
        (15, 15, 0.7961),
        (16, 16, 0.8064),
        (1, 1, 0.2065),
        (0, 20, 0.0),
    ],
)
def test_known_figures(accepted: int, n: int, bound: float) -> None:
    found = lower_bound(accepted, n)

    assert found is not None
    assert round(found, 4) == bound


def test_of_nothing_nothing_is_known() -> None:
    assert lower_bound(0, 0) is None


@pytest.mark.parametrize(("accepted", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_more_than_all_is_no_share(accepted: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        lower_bound(accepted, n)


@given(SHARES)
def test_it_lies_between_nothing_and_the_share_seen(share: tuple[int, int]) -> None:
    accepted, n = share
    found = lower_bound(accepted, n)

    assert found is not None
    assert 0.0 <= found <= accepted / n


@given(SHARES.filter(lambda share: share[0] < share[1]))
def test_one_more_accepted_raises_it(share: tuple[int, int]) -> None:
    accepted, n = share

    assert (lower_bound(accepted + 1, n) or 0.0) > (lower_bound(accepted, n) or 0.0)


@given(SHARES, st.integers(2, 50))
def test_the_same_share_of_more_raises_it_towards_the_share(share: tuple[int, int], times: int) -> None:
    accepted, n = share
    few, many = lower_bound(accepted, n), lower_bound(accepted * times, n * times)

    assert few is not None
    assert many is not None
    assert many >= few - 1e-12
    assert accepted / n - many <= Z_95 / sqrt(n * times) + Z_95**2 / (n * times)


@given(SHARES)
def test_a_share_at_the_bound_is_as_far_from_what_was_seen_as_its_own_spread_allows(share: tuple[int, int]) -> None:
    accepted, n = share
    bound = lower_bound(accepted, n)

    assert bound is not None
    assert accepted / n - bound == pytest.approx(Z_95 * sqrt(bound * (1 - bound) / n), abs=1e-9)
