"""`apm agents`: who is in the team, what each does, and what each may decide."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.workspace import Workspace


@click.group()
def agents() -> None:
    """The team."""


@agents.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that agents.yaml no longer names too.")
@options.json_option
@options.pass_place
def list_(place: options.Place, everything: bool, as_json: bool) -> None:
    """Every agent, tier by tier."""
    from core.store import reads
    from tui.cli import shapes

    with place.open() as workspace:
        found = workspace.store.read_now(lambda r: reads.agents(r, active_only=not everything))
    if as_json:
        output.emit_json([shapes.agent_line(row) for row in found])
        return
    output.table(
        ("role", "tier", "type", "phase", "runtime", "description"),
        [(a.role, a.tier, a.agent_type, a.phase, a.runtime, a.description) for a in found],
    )


@agents.command()
@click.argument("role")
@options.json_option
@options.pass_place
def show(place: options.Place, role: str, as_json: bool) -> None:
    """One agent: its instructions, its figures, and for a domain agent its authority and documents."""
    with place.open() as workspace:
        shown = _agent(workspace, role)
    if as_json:
        output.emit_json(shown)
    else:
        _show(shown)


def _agent(workspace: Workspace, role: str) -> Json:
    """Raises UsageError for a role that nobody has."""

    def read(reader: Connection) -> Json:
        from core.governance.authority import kinds
        from core.store import reads
        from tui.cli import shapes

        row = reads.agent(reader, role)
        if row is None:
            near = difflib.get_close_matches(role, [a.role for a in reads.agents(reader)], n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`apm agents list` shows them."
            raise UsageError(f"There is no agent {role!r}; {hint}")
        shown = shapes.agent(row, reads.counters(reader).get(role))
        if row.agent_type == "domain":
            shown["authority"] = shapes.authority(kinds(reader, role))
        return shown

    shown = workspace.store.read_now(read)
    if shown["agent_type"] == "domain":
        from core.governance.context import context_files

        agent = workspace.catalog.agents.get(role)
        files = context_files(workspace.folder, agent.context if agent else ())
        shown["context"] = {"given": list(files.given), "missing": list(files.missing)}
    return shown


def _show(shown: Json) -> None:
    names = ("role", "display_name", "description", "tier", "agent_type", "phase", "gate", "runtime", "model")
    output.facts((name.replace("_", " "), shown[name]) for name in (*names, "capabilities"))
    output.say()
    output.say(shown["sop"].rstrip())
    for mode, kinds in shown.get("authority", {}).items():
        output.say()
        output.table(
            (mode, "title", "impact", "reversible"),
            [(k["key"], k["title"], k["impact"], k["reversible"]) for k in kinds],
        )
    if "context" in shown:
        output.say()
        output.facts(
            (("given", "\n".join(shown["context"]["given"])), ("missing", "\n".join(shown["context"]["missing"])))
        )
    output.say()
    output.facts(shown["metrics"].items())
