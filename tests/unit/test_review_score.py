"""The score of a build: each share costs its points, and what was not measured brings nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.orchestration.assembly import score

GOOD: Json = {
    "tests": {"passed": 10, "failed": 0, "coverage": 100.0},
    "static": {"issues": 0},
    "security": {"findings": 0},
    "criteria": [{"id": "AC1", "verified": True}],
}


def test_a_perfect_build_scores_100_and_nothing_measured_scores_0() -> None:
    assert score(GOOD) == 100.0
    assert score({}) == 0.0


@pytest.mark.parametrize(
    ("change", "points"),
    [
        ({"tests": {"passed": 9, "failed": 1, "coverage": 50.0}}, 86.0),
        ({"static": {"issues": 1}}, 95.0),
        ({"security": {"findings": 3}}, 92.5),
        ({"criteria": [{"verified": True}, {"verified": False}]}, 90.0),
        ({"criteria": []}, 80.0),
        ({"tests": {"passed": 1, "failed": 0, "coverage": None}}, 80.0),
    ],
)
def test_each_share_costs_its_points(change: Json, points: float) -> None:
    assert score(GOOD | change) == points


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 100), st.integers(0, 99), st.integers(0, 99))
def test_the_score_stays_in_its_bounds(passed: int, failed: int, coverage: float, issues: int, findings: int) -> None:
    payload = {
        "tests": {"passed": passed, "failed": failed, "coverage": coverage},
        "static": {"issues": issues},
        "security": {"findings": findings},
    }
    assert 0 <= score(payload) <= 80
