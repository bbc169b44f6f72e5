"""`apm agents`: who is in the team, what each does, and what each may decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from tui.cli import options, output
from tui.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import AgentRow, CounterRow
    from core.workspace import Workspace


class _Agents(LazyGroup):
    commands_at: Mapping[str, tuple[str, str]] = {
        "list": ("tui.cli.agents:list_", "Every agent, or those that are asked for."),
        "show": ("tui.cli.agents:show", "One agent: instructions, figures, authority."),
        "import": ("tui.cli.registry:import_", "Bring agents.yaml into the workspace, showing what changes."),
        "export": ("tui.cli.registry:export", "Write the registry as a YAML that imports back."),
        "select": ("tui.cli.generating:select", "Which agents a project needs, and why."),
        "generate": ("tui.cli.generating:generate", "Write the agents as files for Claude Code and others."),
    }


@click.group(cls=_Agents)
def agents() -> None:
    """The team."""


SORTS: Mapping[str, Callable[[CounterRow], float]] = {
    "runs": lambda c: c.runs,
    "failures": lambda c: c.failures,
    "time": lambda c: c.milliseconds,
    "cost": lambda c: c.cost,
    "last-used": lambda c: c.last_at,
}
"""What the list can be sorted by, the most first; without a sort it goes tier by tier."""


def _facet_options(command: options.F) -> options.F:
    for name, metavar in (
        *(("runtime", "NAME"), ("technology", "WORD"), ("capability", "WORD"), ("phase", "PHASE"), ("type", "TYPE")),
        ("tier", "N"),
    ):
        option = click.option(f"--{name}", f"of_{name}", multiple=True, metavar=metavar, help=f"Only of this {name}.")
        command = option(command)
    return command


@click.command("list")
@click.argument("query", nargs=-1)
@_facet_options
@click.option("--sort", type=click.Choice(list(SORTS)), help="By what they have done, the most first.")
@click.option("--unused", is_flag=True, help="Only those that have never run here.")
@click.option("--all", "everything", is_flag=True, help="Those that agents.yaml no longer names too.")
@options.json_option
@options.pass_place
def list_(
    place: options.Place,
    /,
    query: tuple[str, ...],
    sort: str | None,
    unused: bool,
    everything: bool,
    as_json: bool,
    **facets: tuple[str, ...],
) -> None:
    """Every agent, tier by tier, or those that are asked for.

    QUERY holds words that must stand in an agent, !words that must not, and facets such as tech:django or phase:I1:
    what the filter of the app's tier tree takes. `apm agents list --technology django` says who handles Django.
    """
    from core.registry.queries import narrowed, parse_query
    from core.store import reads
    from tui.cli import shapes

    with place.open() as workspace:
        team, counted = workspace.store.read_now(
            lambda r: (reads.agents(r, active_only=not everything), reads.counters(r))
        )
        now = workspace.store.clock()
    asked = " ".join([*query, *_as_query(team, facets)])
    found = [a for a in narrowed(team, parse_query(asked)) if not unused or a.role not in counted]
    if sort:
        found.sort(key=lambda a: SORTS[sort](counted[a.role]) if a.role in counted else -1, reverse=True)
    if as_json:
        output.emit_json([shapes.agent_line(row, counted.get(row.role)) for row in found])
    else:
        _list(found, counted, now)


def _as_query(team: Sequence[AgentRow], facets: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The options as a query's words; raises UsageError for a value that no agent has."""
    from core.registry.documents import did_you_mean
    from core.registry.queries import known_values

    for option, values in facets.items():
        name = option.removeprefix("of_")
        known = known_values(team, name) if values else ()
        for value in values:
            if value.casefold() not in known:
                hint = did_you_mean(value, known) or f"; there are {', '.join(known)}."
                raise UsageError(f"No agent has the {name} {value!r}{hint}")
            yield f"{name}:{value}"


def _list(found: Sequence[AgentRow], counted: Mapping[str, CounterRow], now: int) -> None:
    if not found:
        output.note("No agent answers to that.")
        return
    output.table(
        ("role", "tier", "type", "phase", "runtime", "runs", "failed", "time", "cost", "last used", "description"),
        [
            (
                a.role if a.is_active else f"{a.role} (inactive)",
                a.tier,
                a.agent_type,
                a.phase,
                a.runtime,
                *_done(counted.get(a.role), now),
                a.description,
            )
            for a in found
        ],
    )


def _done(counted: CounterRow | None, now: int) -> tuple[object, ...]:
    """Runs, failures, time, cost and the last use; empty cells for who has never run."""
    from tui.text.amounts import dollars
    from tui.text.words import span_of_time

    if counted is None:
        return ("", "", "", "", "")
    cost = dollars(counted.cost) if counted.cost else ""
    used = f"{span_of_time(now - counted.last_at)} ago" if counted.last_at else ""
    return (counted.runs, counted.failures or "", span_of_time(counted.milliseconds), cost, used)


@click.command()
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

    def read(reader: Connection) -> tuple[Json, Sequence[str]]:
        from core.governance.authority import kinds
        from core.governance.performance import performance
        from core.registry.documents import did_you_mean
        from core.store import reads
        from tui.cli import shapes

        row = reads.agent(reader, role)
        if row is None:
            hint = did_you_mean(role, [a.role for a in reads.agents(reader)]) or "; `apm agents list` shows them."
            raise UsageError(f"There is no agent {role!r}{hint}")
        shown = shapes.agent(row, reads.counters(reader).get(role))
        if row.agent_type == "domain":
            shown["authority"] = shapes.authority(kinds(reader, role))
            shown["performance"] = performance(reader, role).to_json()
            folders.update({p.name: Path(p.path) for p in reads.projects(reader)})
        return shown, row.parameters.get("context", ())

    folders: dict[str, Path] = {}
    shown, patterns = workspace.store.read_now(read)
    if shown["agent_type"] == "domain":
        from core.governance.context import context_files

        shown["context"] = context_files({"": workspace.folder, **folders}, patterns).to_json()
    return shown


def _show(shown: Json) -> None:
    names = ("role", "display_name", "description", "tier", "agent_type", "phase", "gate", "runtime", "model")
    more = ("capabilities", "technologies", "serves", "tools", "origin", "file_path", "generated_at")
    output.facts((name.replace("_", " "), shown[name]) for name in (*names, *more))
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
    if "performance" in shown:
        output.say()
        output.facts((name.replace("_", " "), count) for name, count in shown["performance"].items())
    output.say()
    output.facts(shown["metrics"].items())
