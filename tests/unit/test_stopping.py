"""What becomes of a work item that a person stops where its phase asks: it is cancelled, or it has failed."""

from __future__ import annotations

import pytest

from core.contract import Json, failed
from core.orchestration.questions import Missed, error_question, gate_question
from core.phases import PHASE_BY_CODE

VERDICT: Json = {
    "criteria": [{"name": "tests_pass", "passed": False}],
    "missing": ["tests_pass: 1 of 2"],
    "suggested_action": "Mend it.",
}
MISSED = Missed(verdict=VERDICT, judged={}, findings=(), blocked={}, unsettled={}, place={})


@pytest.mark.parametrize(
    ("phase", "at_its_gate", "after_a_failure"),
    [
        ("D1", "cancelled", "failed"),
        ("P1", "cancelled", "failed"),
        ("I1", "failed", "failed"),
        ("R1", "failed", "failed"),
        ("O1", "failed", "failed"),
        ("E1", "cancelled", "cancelled"),
    ],
)
def test_what_was_tried_has_failed_and_what_was_not_or_is_released_is_cancelled(
    phase: str, at_its_gate: str, after_a_failure: str
) -> None:
    spec = PHASE_BY_CODE[phase]
    missed = gate_question(spec, 7, 1, MISSED)
    broken = error_question(spec, 7, 1, [(spec.steps[0].agent, "", failed(spec.steps[0].agent, "no disk"))])

    ends = [next(option for option in question.options if option.ends) for question in (missed, broken)]
    assert ["failed" if option.fails else "cancelled" for option in ends] == [at_its_gate, after_a_failure]
    assert all(told in option.consequence for option, told in zip(ends, (at_its_gate, after_a_failure), strict=True))
