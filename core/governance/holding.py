"""What an open question holds back: "" nothing, a phase, or a task."""

from __future__ import annotations

from core.contract import PHASE_CODES

TASKS_PHASE = "I1"


def held_by_all(*blocks: str) -> str:
    """What holds back everything that these do: the earliest phase among them, one task, or the tasks' phase."""
    phases = [b for b in blocks if b in PHASE_CODES]
    tasks = {b for b in blocks if b and b not in PHASE_CODES}
    if phases or len(tasks) > 1:
        return min([*phases, *([TASKS_PHASE] if tasks else [])], key=PHASE_CODES.index)
    return next(iter(tasks), "")
