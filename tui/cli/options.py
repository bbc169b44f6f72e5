"""What several commands share: where the workspace is, who speaks, and values handed in as text or file."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from core.contract import PHASE_CODES, UsageError
from core.paths import real
from tui.cli.logs import log_into
from tui.cli.output import note

if TYPE_CHECKING:
    from core.workspace import Team, Workspace

F = TypeVar("F", bound=Callable[..., Any])


class _Number(click.IntRange):
    name = "number"


NUMBER = _Number(1, 2**63 - 1)
"""The number of a row: what the database can hold."""
number_argument = click.argument("number", metavar="ID", type=NUMBER)

WORK_ITEM_TYPES = ("feature", "bug", "chore", "spike", "docs")
"""As `core.orchestration.work_items` has them, without the 60 ms that importing it takes."""

MOST_INPUT = 64 * 2**20
"""Bytes of a file or of standard input that a command takes in."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: the folder given with --workspace, or what is found from the current folder upward."""

    given: Path | None = None

    def folder(self) -> Path:
        """Raises UsageError when there is no workspace."""
        from core.places import find

        return real(self.given) if self.given is not None else find(Path.cwd())

    def open(self, team: Team | None = None) -> Workspace:
        """The workspace, opened; close it, or use it in a `with`.

        A broken file of the team ends the commands that `NEED_TEAM`; to the others it is a line on standard error,
        and they work with the team as it was.
        """
        from core.workspace import Workspace

        workspace = Workspace.open(self.folder(), team or ("current" if _needs_team() else "as-known"))
        log_into(workspace.state)
        if workspace.fault is not None:
            first, *more = str(workspace.fault).splitlines()
            also = f" (and {len(more)} more)" if more else ""
            note(f"apm: {first}{also}. Until that is mended, the team stays as it was.")
        return workspace


NEED_TEAM = frozenset({"run", "work-item create"})
"""Commands that set agents to work, by their path."""


def _needs_team() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.command_path.partition(" ")[2] in NEED_TEAM


def has_screen() -> bool:
    """Whether the app can be shown: it reads keys from standard input and draws on standard output."""
    return sys.stdin.isatty() and sys.stdout.isatty()


pass_place = click.make_pass_decorator(Place, ensure=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def by_option(command: F) -> F:
    return click.option("--by", default=person, metavar="NAME", help="Who says so. [default: your user name]")(command)


def person() -> str:
    """The name that stands for whoever runs the command."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"


class Phase(click.ParamType[str]):
    """A phase's code, in either case."""

    name = "phase"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        code = str(value).upper()
        if code not in PHASE_CODES:
            self.fail(f"there is no phase {value!r}; the phases are {', '.join(PHASE_CODES)}.", param, ctx)
        return code


class Command(click.ParamType[list[str]]):
    """A command in one text, split as a shell would; an empty text stands for none."""

    name = "command"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        try:
            return shlex.split(str(value))
        except ValueError as error:
            self.fail(f"{value!r} cannot be split into words: {str(error).lower()}.", param, ctx)


def refuse_without_folder(path: Path) -> None:
    """Raises UsageError for a file to be written whose folder is not there."""
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} to write {path.name} into.")


def read_text(source: str, what: str) -> str:
    """The text of a file, or of standard input for `-`. Raises UsageError when it cannot be read as UTF-8."""
    where = "standard input" if source == "-" else source
    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as stream:
            content = stream.read(MOST_INPUT + 1)
    except OSError as error:
        raise UsageError(f"{what}: {where} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    if len(content) > MOST_INPUT:
        raise UsageError(f"{what}: {where} holds more than {MOST_INPUT // 2**20} MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{what}: {where} is not UTF-8 text (byte {error.start}).") from None


def parse_json(text: str, what: str) -> Any:
    """The value that a JSON text holds; raises UsageError saying where it is not JSON."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not a JSON number")

    try:
        value = json.loads(text, parse_constant=refuse)
        # Half a character, as JSON can write one, is no text that a database takes; it becomes a question mark.
        whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
        return value if "\\ud" not in text.lower() else json.loads(whole)
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg.lower()}"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise UsageError(f"{what} is not JSON: {reason}.") from None


def json_value(text: str, what: str) -> Any:
    """A value given as JSON, as `@FILE` that holds it, or as `-` for standard input."""
    if text == "-" or text.startswith("@"):
        text = read_text(text.removeprefix("@"), what)
    return parse_json(text, what)
