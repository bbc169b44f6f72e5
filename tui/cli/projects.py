"""`apm project`: git repositories come under the workspace's care, with what their commands are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.contract import Json, UsageError, canonical_json
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store import rows
    from core.store.reads import Connection

_COMMAND = options.Command()

_SETTINGS: tuple[tuple[str, Any, bool, str], ...] = (
    ("--test", _COMMAND, False, "How its tests are run. [default: pytest, where there are tests]"),
    ("--lint", _COMMAND, True, "An analyser to run; may be given more than once. [default: what it configures]"),
    ("--deploy", _COMMAND, False, "How a release is deployed. [default: the package is built]"),
    ("--deployed", _COMMAND, False, "Ends with 0 when {version} is deployed already."),
    ("--deploy-env", str, True, "An environment variable of yours that the deploy commands are given; repeatable."),
    ("--health", str, False, "A URL or a command that tells whether the release is healthy."),
    ("--monitor", str, False, "A URL or a command that goes on watching it."),
    (
        "--setup",
        _COMMAND,
        True,
        "A command that prepares a worktree, with {environment} for what it installs; repeatable.",
    ),
    ("--python", str, False, "The interpreter that its commands run with."),
    ("--time-limit", float, False, "Seconds that its tests may take."),
    (
        "--sandbox",
        str,
        False,
        "auto: what a model wrote runs without a network, where bubblewrap is; off: it does not.",
    ),
    ("--coverage-source", str, True, "A path whose code counts for coverage; may be given more than once."),
)
"""Options that become settings: flag, type of a value, whether it may be repeated, help."""


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for flag, kind, repeated, text in reversed(_SETTINGS):
        metavar = "CMD" if kind is _COMMAND else None
        command = click.option(flag, type=kind, multiple=repeated, metavar=metavar, help=text)(command)
    return command


def settings_from(given: Json) -> Json:
    """The settings that options name; None for one that is to be taken away (an empty text)."""
    found: Json = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        if name in ("health", "monitor"):
            found[name] = _probe(value)
        elif isinstance(value, tuple):
            found[name] = [v for v in value if v] or None
        else:
            found[name] = None if value in ("", []) else value
    return found


def _probe(text: str) -> Json | None:
    if text.startswith(("http://", "https://")):
        return {"url": text}
    words = _COMMAND.convert(text, None, None)
    return {"command": words} if words else None


@click.group()
def project() -> None:
    """The git repositories that the workspace governs."""


@project.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="[default: the folder's name]")
@click.option("--target", metavar="BRANCH", help="Where releases merge into. [default: the checked-out branch]")
@setting_options
@options.json_option
@options.pass_place
def add(place: options.Place, /, path: Path, name: str | None, target: str | None, as_json: bool, **given: Any) -> None:
    """Add the git repository at PATH. Nothing in it is touched.

    Commands are one text each, split as a shell would; {python}, {worktree}, {version} and {releases} are filled in.
    """
    from core.projects import registering
    from core.store import reads
    from tui.cli import shapes

    settings = {k: v for k, v in settings_from(given).items() if v is not None}
    with place.open() as workspace:
        facts = asyncio.run(registering.examine(path, name=name, target=target))
        registering.check_interpreter(facts.path, settings)
        number = workspace.store.write_now(lambda tx: registering.add_project(tx, facts, settings))
        row = workspace.store.read_now(lambda r: reads.project(r, number))
    assert row is not None
    if facts.uncommitted:
        files = f"{facts.uncommitted} file{'' if facts.uncommitted == 1 else 's'}"
        output.note(f"{files} with uncommitted changes: they are left alone, and no work item sees them.")
    if as_json:
        output.emit_json(shapes.project(row))
    else:
        output.say(f"Project {row.name} is added; releases merge into {row.target}.")
        output.facts(_tech(row.tech))


@project.command("list")
@options.json_option
@options.pass_place
def list_(place: options.Place, as_json: bool) -> None:
    """The projects."""
    from core.store import reads
    from tui.cli import shapes

    with place.open() as workspace:
        found = workspace.store.read_now(reads.projects)
    if as_json:
        output.emit_json([shapes.project(row) for row in found])
    else:
        output.table(("id", "name", "target", "path"), [(p.id, p.name, p.target, p.path) for p in found])


@project.command()
@click.argument("name")
@options.json_option
@options.pass_place
def show(place: options.Place, name: str, as_json: bool) -> None:
    """One project: what was detected, and what its commands are."""
    with place.open() as workspace:
        row = workspace.store.read_now(lambda r: named(r, name))
    _show(row, as_json)


@project.command("set")
@click.argument("name")
@click.option("--path", type=click.Path(path_type=Path), help="Where its repository is now.")
@click.option("--target", metavar="BRANCH", help="Where releases merge into.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="NAME=VALUE",
    help="A gate's figure for this project (coverage=80); an empty value takes it away. Loosening needs --reason.",
)
@click.option("--reason", default="", help="Why a threshold is changed.")
@options.by_option
@setting_options
@options.json_option
@options.pass_place
def set_(
    place: options.Place,
    /,
    name: str,
    path: Path | None,
    target: str | None,
    thresholds: Sequence[str],
    reason: str,
    by: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Change a project's settings and look at its repository again. An empty value takes a setting away."""
    from core.governance.persons import named_person, stated_in_a_line
    from core.projects import registering

    with place.open() as workspace:
        row, person = workspace.store.read_now(lambda r: (named(r, name), named_person(r, by)))
        changes = settings_from(given)
        facts = asyncio.run(registering.examine(path or Path(row.path), name=row.name, target=target or row.target))
        registering.check_interpreter(facts.path, changes)
        figures = _thresholds(thresholds, person, stated_in_a_line(reason), workspace.store.clock())
        _check_thresholds(workspace.catalog, {**row.thresholds, **figures})
        workspace.store.write_now(
            lambda tx: registering.change_project(tx, row, settings=changes, facts=facts, thresholds=figures, by=person)
        )
        row = workspace.store.read_now(lambda r: named(r, name))
    _show(row, as_json)


def _thresholds(given: Sequence[str], by: str, reason: str, now: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        try:
            number = float(value) if value else None
        except ValueError:
            number = None
            sign = ""
        if not sign:
            raise UsageError(f"--threshold {text!r}: give a name and a number, as in coverage=80.")
        found[name] = None if number is None else {"value": number, "by": by, "reason": reason, "at": now}
    return found


def _check_thresholds(catalog: Any, figures: Json) -> None:
    """Raise UsageError for a name that no gate knows, a figure out of range, or a loosening without its reason."""
    from core.registry import catalog as registry
    from core.registry.schema import CRITERION_OF

    unknown = sorted(set(figures) - set(CRITERION_OF))
    if unknown:
        raise UsageError(f"No gate has a threshold {unknown[0]!r}; known are {', '.join(sorted(CRITERION_OF))}.")
    kept = {k: v for k, v in figures.items() if v is not None}
    for phase in ("D1", "P1", "R1", "E1"):
        registry.thresholds(catalog, phase, "feature", kept)


def named(reader: Connection, key: str) -> rows.ProjectRow:
    """The project of that name or number; raises UsageError when there is none."""
    from core.store import reads
    from core.store.newest_first import whole_number

    number = whole_number(key)
    found = reads.project(reader, key) or (None if number is None else reads.project(reader, number))
    if found is None or found.removed_at is not None:
        known = ", ".join(p.name for p in reads.projects(reader)) or "none yet; `apm project add PATH` adds one"
        raise UsageError(f"There is no project {key!r}; known are {known}.")
    return found


def _show(row: rows.ProjectRow, as_json: bool) -> None:
    from tui.cli import shapes

    if as_json:
        output.emit_json(shapes.project(row))
        return
    output.facts((("name", row.name), ("path", row.path), ("target", row.target)))
    output.say()
    output.facts(_tech(row.tech))
    if row.settings or row.thresholds:
        output.say()
        output.facts((name, canonical_json(value)) for name, value in row.settings.items())
        output.facts((name, f"{t['value']:g} by {t['by']}: {t['reason']}") for name, t in row.thresholds.items())


def _tech(tech: Json) -> list[tuple[str, Any]]:
    """What was detected, in words."""
    shown: list[tuple[str, Any]] = []
    for key, value in tech.items():
        if key == "analysers":
            value = [a["name"] for a in value]
        elif key == "version_file" and value:
            value = value["path"]
        elif key == "stack":
            # Languages and frameworks have rows of their own; `apm agents select --facts` has all of it with evidence.
            value = list(dict.fromkeys(f["word"] for f in value if f["category"] not in ("language", "framework")))
        shown.append((key.replace("_", " "), value))
    return shown
