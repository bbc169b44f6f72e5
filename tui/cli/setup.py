"""`apm init` and `apm doctor`: a workspace is made, and everything that it needs is looked at."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import ApmError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.doctor import Finding

LEAST_TERMINAL = (40, 12)
"""Columns and rows below which the app does not fit."""
COLOURS = {"truecolor": "16 million colours", "24bit": "16 million colours"}

_MARKS = {"ok": "✓ ok", "advice": "· advice", "problem": "✗ problem"}


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--profile", default="default", show_default=True, metavar="NAME", help="What it begins with: default or pm33."
)
@options.json_option
@options.pass_place
def init(place: options.Place, folder: Path | None, profile: str, as_json: bool) -> None:
    """Make DIR a workspace. An existing one is left as it is.

    Without DIR it is the folder that --workspace or APM_WORKSPACE names, and without these the current one.
    """
    from core.places import FILE
    from core.store import reads
    from core.workspace import Workspace, create

    chosen = folder or place.given or Path()
    existed = (chosen / FILE).is_file()
    with Workspace.open(create(chosen, profile)) as workspace:
        team = len(workspace.store.read_now(reads.agents))
        where, begun_with = workspace.folder, workspace.profile
        milestone = workspace.milestone
    if as_json:
        made = {"workspace": str(where), "created": not existed, "profile": begun_with, "agents": team}
        output.emit_json(made | {"milestone": milestone})
    elif existed:
        kept = "" if profile == begun_with else f" It began with the profile {begun_with}, and keeps it."
        output.say(f"{where} is a workspace already; nothing in it was changed.{kept}")
    else:
        about = "" if begun_with == "default" else f" and the profile {begun_with} (milestone {milestone['title']})"
        output.say(f"{where} is a workspace now, with {team} agents{about}. Next: `apm project add PATH`.")


@click.command()
@options.json_option
@options.pass_place
def doctor(place: options.Place, as_json: bool) -> int:
    """Check what apm needs. Exit code 1 when something that it needs is missing."""
    from core.doctor import examine

    try:
        folder = place.folder()
    except ApmError:
        folder = None
    found = [*asyncio.run(examine(folder)), *_settings(folder), *_terminal()]
    if as_json:
        output.emit_json([f.to_json() for f in found])
    else:
        output.table(("", "area", "what", "found"), [(_MARKS[f.level], f.area, f.name, f.found) for f in found])
        for f in found:
            if f.remedy:
                output.say(f"{_MARKS[f.level]}  {f.name}: {f.remedy}")
    return 1 if any(f.level == "problem" for f in found) else 0


def _settings(folder: Path | None) -> list[Finding]:
    """The screen's settings, where there are any. The app starts without them, so a mistake in them is no problem."""
    from core.doctor import Finding
    from tui.settings.file import FILE_NAME, SettingsError

    file = folder / "state" / FILE_NAME if folder is not None else None
    if file is None or not file.exists():
        return []
    from tui.settings.text import read

    try:
        read(file)
    except SettingsError as error:
        remedy = "Mend its lines: until then the app looks as it came, with the keys that it came with."
        faults = [Finding("workspace", FILE_NAME, "advice", str(fault)) for fault in error.faults]
        return [replace(faults[0], remedy=remedy), *faults[1:]]
    return [Finding("workspace", FILE_NAME, "ok", "every setting is known")]


def _terminal() -> list[Finding]:
    """What the app would find on this screen. Nothing here is needed by the commands."""
    from core.doctor import Finding

    if not sys.stdout.isatty():
        return [Finding("terminal", "screen", "ok", "standard output is no terminal; the commands need none")]
    columns, lines = shutil.get_terminal_size()
    fits = columns >= LEAST_TERMINAL[0] and lines >= LEAST_TERMINAL[1]
    wanted = f"The app needs {LEAST_TERMINAL[0]} by {LEAST_TERMINAL[1]} at least; enlarge the window."
    colours = COLOURS.get(os.environ.get("COLORTERM", ""), os.environ.get("TERM", "unknown"))
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    ascii_only = "Set LANG to a UTF-8 locale, or switch to ASCII glyphs in the app's command palette."
    return [
        Finding("terminal", "size", "ok" if fits else "advice", f"{columns} by {lines}", "" if fits else wanted),
        Finding("terminal", "colours", "ok", f"{colours}{', but NO_COLOR is set' if 'NO_COLOR' in os.environ else ''}"),
        Finding("terminal", "unicode", "ok", encoding)
        if encoding == "utf8"
        else Finding("terminal", "unicode", "advice", encoding or "unknown", ascii_only),
    ]
