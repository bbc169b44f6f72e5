"""Whose record a decision belongs to: the same role with another runtime, model or SOP is another decider.

A team's files may leave open who that is: `auto`, no model, a runtime that is not to be had here. Then it is whoever
answered last for the agent as it is set up now, as the journal has it: the environment of the process that asks, which
may be another one, says nothing of who decided.
"""

from __future__ import annotations

from typing import Any

from core.contract import Json, digest_of
from core.store import reads
from core.store.reads import Connection
from core.store.rows import AgentRow
from core.store.settings import keep_setting, read_setting
from core.store.transaction import Transaction

PREFIX = "decider."
"""What the settings begin with that hold who answered last for an agent, where its row does not say so: its `runtime`
and `model`, and under `of` the agent as it was set up then."""


def cohort_of(reader: Connection, agent: str) -> str:
    """A digest of the agent's runtime, model and SOP as they are now; "" for a role that nobody has."""
    row = reads.agent(reader, agent)
    if row is None:
        return ""
    decider = _set_up(row)
    last: Any = read_setting(reader, PREFIX + agent)
    if last is not None and last["of"] == decider:
        decider = {**decider, "runtime": last["runtime"], "model": last["model"]}
    return digest_of(decider)


def keep_decider(tx: Transaction, agent: str, runtime: str, model: str | None) -> None:
    """Remember who has answered for the agent. A model that the team names counts by the name that the team gives it.

    The caller writes the event that carries it.
    """
    row = reads.agent(tx, agent)
    if row is None:
        return
    named = row.model if row.model and model else model
    is_as_set_up = (runtime, named) == (row.runtime, row.model)
    decider = None if is_as_set_up else {"of": _set_up(row), "runtime": runtime, "model": named}
    if read_setting(tx, PREFIX + agent) != decider:
        keep_setting(tx, PREFIX + agent, decider)


def _set_up(row: AgentRow) -> Json:
    return {"runtime": row.runtime, "model": row.model, "sop": row.sop_digest}
