"""`apm agents select` and `apm agents generate`: from the registry to the team of one project, as files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.contract import UsageError
from core.paths import real
from tui.cli import options, output

if TYPE_CHECKING:
    from core.projects.stack.facts import Stack
    from core.registry.generation.service import Report
    from core.registry.generation.subjects import Subject
    from core.store.reads import Connection
    from core.store.rows import AgentRow, ProjectRow
    from core.workspace import Workspace

DONE, FAILED = 0, 1
EVERY_PROVIDER = "all"


class _Folder(click.Path):
    """A folder by name. An empty one is a variable that was not set, and not the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty; name a folder, or leave the option out.", param, ctx)
        return super().convert(value, param, ctx)


_FOLDER = _Folder(file_okay=False, path_type=Path)
_project_option = click.option("--project", metavar="NAME", help="The project. [default: the only one there is]")


@click.command()
@_project_option
@click.option(
    "--path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A git repository that is not a project here (yet).",
)
@click.option("--facts", is_flag=True, help="What was found in the project, instead of who follows from it.")
@options.json_option
@options.pass_place
def select(place: options.Place, project: str | None, path: Path | None, facts: bool, as_json: bool) -> None:
    """Which agents a project needs, and why: from what is really in it.

    Manifests, lock files, imports, CI files and the like are read, and nothing is run. What git ignores, vendored
    folders and virtual environments do not count.
    """
    from core.registry.selection import select as chosen

    with place.open() as workspace:
        stack = _stack(workspace, project, path)
        rows = workspace.store.read_now(_agents)
    if facts:
        if as_json:
            output.emit_json(stack.as_json())
        else:
            output.table(
                ("kind", "what", "where", "evidence"),
                [(f.category.replace("_", " "), f.word, f.package or ".", f.evidence) for f in stack.facts],
            )
        return
    choices = chosen(rows, stack)
    if as_json:
        output.emit_json([{"role": c.role, "reason": c.reason} for c in choices])
    else:
        output.table(("role", "reason"), [(c.role, c.reason) for c in choices])


def _stack(workspace: Workspace, project: str | None, path: Path | None) -> Stack:
    """What is in the project now; raises UsageError when none is meant, GitError when it is no repository."""
    from core.projects.stack.scan import scan

    if path is not None and project is not None:
        raise UsageError("--path and --project both name a project; leave one of them out.")
    return asyncio.run(scan(path if path is not None else _place_of(_project(workspace, project))))


def _place_of(project: ProjectRow) -> Path:
    """The project's repository; raises UsageError when it is not where it was."""
    place = Path(project.path)
    if not place.is_dir():
        raise UsageError(
            f"{place} is not there any more; `apm project set {project.name} --path DIR` says where it is."
        )
    return place


def _project(workspace: Workspace, name: str | None) -> ProjectRow:
    """The project of that name, or the only one there is. Raises UsageError."""
    from core.store import reads
    from tui.cli.projects import named

    if name is not None:
        return workspace.store.read_now(lambda r: named(r, name))
    found = workspace.store.read_now(reads.projects)
    if len(found) != 1:
        if not found:
            raise UsageError("There is no project yet; `apm project add PATH` adds one.")
        raise UsageError(f"Say which project with --project; there are {', '.join(p.name for p in found)}.")
    return found[0]


def _agents(reader: Connection) -> tuple[AgentRow, ...]:
    from core.store import reads

    return reads.agents(reader)


@click.command()
@_project_option
@click.option("--all", "everybody", is_flag=True, help="Every agent, instead of those that the project needs.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help=f"For which tool; repeatable, {EVERY_PROVIDER} for each one that is known. [default: claude-code]",
)
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only the file of this agent; repeatable.")
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(["orchestrator", "sub-agent", "specialist", "utility", "domain"]),
    help="Only the files of agents of this type; repeatable.",
)
@click.option(
    "--out",
    type=_FOLDER,
    help="The folder to write below. [default: the project's repository; with --all the workspace]",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is not what the registry says.")
@click.option("--diff", is_flag=True, help="Show what differs, line by line.")
@click.option("--prune", is_flag=True, help="Remove files that were generated and belong to nobody any more.")
@click.option("--force", is_flag=True, help="Write over files that were edited by hand or come from elsewhere.")
@options.json_option
@options.pass_place
def generate(
    place: options.Place,
    project: str | None,
    everybody: bool,
    providers: tuple[str, ...],
    roles: tuple[str, ...],
    types: tuple[str, ...],
    out: Path | None,
    check: bool,
    diff: bool,
    prune: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Write the agents as files that Claude Code and other tools load.

    The files are made from the database: the tiers, the utilities, the domain agents with their authority as it
    stands now, and of the specialists those that the project needs. Only files that apm wrote are written over; what
    was edited by hand is shown as a difference and kept. Which files are apm's stands in .apm/generated.json.
    """
    from core.governance.scope.effects import roots_of
    from core.registry.generation.recording import record
    from core.registry.generation.service import generate as make

    every = EVERY_PROVIDER in providers
    if every and len(providers) > 1:
        raise UsageError(f"--provider {EVERY_PROVIDER} already means every provider; leave the others out.")
    if check and (prune or force):
        raise UsageError("--check writes nothing, so --prune and --force say nothing beside it.")
    with place.open() as workspace:
        subjects, root = _team(workspace, project, everybody=everybody)
        reports = make(
            subjects,
            real(out or root),
            providers=() if every else providers,
            every=every,
            roles=[*roles, *(s.role for s in subjects if s.type in types)],
            templates=workspace.folder / "templates",
            check=check,
            force=force,
            prune=prune,
            diff=diff,
        )
        if not check:
            workspace.store.write_now(lambda tx: record(tx, *reports, home=workspace.folder))
        kept = workspace.store.read_now(lambda r: roots_of(r, workspace.folder))
    if as_json:
        output.emit_json([report.to_json() for report in reports])
    else:
        for report in reports:
            _show(report, check=check)
    if out is not None and not check and real(out) not in kept:
        output.note(f"apm does not keep {real(out)} up to date: run this again after a change of authority.")
    wrong = any(report.drifted if check else report.refused for report in reports)
    return FAILED if wrong else DONE


def _team(workspace: Workspace, project: str | None, *, everybody: bool) -> tuple[Sequence[Subject], Path]:
    """The agents to generate, and the folder that they belong into."""
    from core.governance.authority import kinds
    from core.registry.generation.subjects import subjects
    from core.registry.selection import select as chosen

    rows, powers = workspace.store.read_now(
        lambda r: ((team := _agents(r)), {a.role: kinds(r, a.role) for a in team if a.agent_type == "domain"})
    )
    if everybody and project is None:
        return subjects(rows, powers), workspace.folder
    place = _place_of(_project(workspace, project))
    if not everybody:
        roles = {choice.role for choice in chosen(rows, _stack(workspace, project, None))}
        rows = tuple(a for a in rows if a.agent_type != "specialist" or a.role in roles)
    return subjects(rows, powers), place


def _show(report: Report, *, check: bool) -> None:
    written, removed = len(report.written), len(report.pruned)
    kept = sum(file.status == "unchanged" for file in report.files)
    for path, text in report.diffs:
        output.say(text.rstrip() if text else f"{path}: no difference in text")
    for file in report.drifted if check else ():
        output.say(f"{file.status:<13} {file.path}")
    orphans = sum(file.status in ("orphan", "edited-orphan") for file in report.files) - removed
    if check:
        count = len(report.drifted)
        state = "as the registry says" if not count else f"{count} not as the registry says"
        output.say(f"{report.provider}: {kept} of {len(report.files)} files in {report.root}, {state}.")
        return
    for path in report.refused:
        output.note(f"{path} was kept: its text is not apm's. --force writes over it.")
    said = f"{report.provider}: {written} written, {kept} as they were"
    output.say(said + (f", {removed} removed" if removed else "") + f", in {report.root}.")
    if orphans > 0:
        output.say(f"{orphans} of the files there belong to nobody any more; --prune removes them.")
