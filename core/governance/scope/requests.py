"""What a person asked for, as a suggestion with the figures of this moment."""

from __future__ import annotations

from core.contract import Json
from core.governance import authority
from core.governance.authority import AUTONOMOUS, ESCALATE
from core.governance.cohorts import cohort_of
from core.governance.scope.grounds import KindGrounds, read_kind
from core.governance.scope.shortfall import refusal
from core.governance.scope.suggestions import EXPANSION, Suggestion, contraction_of, expansion_of, reversed_words
from core.phrases import counted
from core.store.reads import Connection

ASKED_FOR = "asked_for"
"""Under this key of a proposal's analysis stands who asked for it and why: {"by", "reason"}."""


def requested(
    reader: Connection, agent: str, key: str, change: str, request: Json, now: int, since: int
) -> Suggestion | None:
    """The change over the window from `since` to `now` (milliseconds); None where it can no longer be asked for: no
    list names the kind, it has a ceiling, or its authority is that already."""
    known = next((kind for kind in authority.kinds(reader, agent) if kind.key == key), None)
    is_more = change == EXPANSION
    if known is None or known.mode != (ESCALATE if is_more else AUTONOMOUS) or (is_more and known.limit is not None):
        return None
    kind = read_kind(reader, agent, key, cohort_of(reader, agent), known, now, since)
    if is_more:
        refused = refusal(reader, agent, key, now)
        return expansion_of(agent, kind, {ASKED_FOR: request} | ({"refused": refused} if refused else {}))
    if kind.reversals:
        facts = {ASKED_FOR: request, "reversals": list(kind.reversals)}
        return contraction_of(agent, kind, reversed_words(kind), facts)
    return contraction_of(agent, kind, _decided_words(kind), {ASKED_FOR: request})


def _decided_words(kind: KindGrounds) -> str:
    back = "none" if not kind.taken_back else str(kind.taken_back)
    return f"It decided {counted(kind.decided, 'question')} of the kind itself; people took {back} back."
