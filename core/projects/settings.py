"""What a project's settings may say, and what they become when a command is about to run."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.contract import Json, UsageError
from core.sanitise import one_line

WORDS = ("python", "worktree", "version", "releases", "environment")
"""What may stand in braces in a command."""

SANDBOX_AUTO, SANDBOX_OFF = "auto", "off"
"""Whether commands that run what a model wrote are confined: where bubblewrap works, or never."""

_WORD = re.compile(r"\{(" + "|".join(WORDS) + r")\}")


def _is_command(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and word for word in value)


def _is_commands(value: Any) -> bool:
    return isinstance(value, list) and all(_is_command(command) for command in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 86_400


def _is_probe(value: Any) -> bool:
    """A question to the running release: exactly one of a URL and a command."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return _is_command(value.get("command")) or str(value.get("url", "")).startswith(("http://", "https://"))


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and re.fullmatch(r"[A-Za-z_]\w{0,99}", v) for v in value)


def _is_sandbox(value: Any) -> bool:
    return value in (SANDBOX_AUTO, SANDBOX_OFF)


_COMMAND = (_is_command, 'a list of words, as in ["make", "test"]')
_COMMANDS = (_is_commands, 'a list of commands, as in [["ruff", "check", "."]]')
_PROBE = (_is_probe, '{"url": "http://…"} or {"command": ["…"]}')

KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "test": _COMMAND,
    "lint": _COMMANDS,
    "deploy": _COMMAND,
    "deployed": _COMMAND,
    "deploy_env": (_is_names, 'a list of names of environment variables, as in ["PYPI_TOKEN"]'),
    "health": _PROBE,
    "monitor": _PROBE,
    "setup": _COMMANDS,
    "python": (_is_text, "the path of a Python interpreter"),
    "time_limit": (_is_seconds, "a number of seconds above 0 and at most 86400"),
    "coverage_source": (_is_texts, 'a list of paths, as in ["src"]'),
    "sandbox": (_is_sandbox, "auto or off"),
}
"""Each key that a project's settings may hold: whether a value is legal, and what a legal one looks like."""


def validate(settings: Json) -> None:
    """Raise UsageError naming the first key at fault, and the known key that was probably meant."""
    if not isinstance(settings, dict):
        raise UsageError(f"Project settings must be an object with keys such as {', '.join(KEYS)}.")
    for key, value in settings.items():
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KEYS)}."
            raise UsageError(f"Project settings: the key {one_line(repr(key))} is unknown; {hint}")
        legal, shape = KEYS[key]
        if not legal(value):
            raise UsageError(f"Project settings: {key!r} is {one_line(repr(value))}; it must be {shape}.")


def expand(argv: Sequence[str], **values: str | Path) -> list[str]:
    """`argv` with the `WORDS` in braces replaced; other braces stay as they are.

    Raises UsageError when a word is used where it has no value (`{version}` in a test command).
    """

    def replaced(match: re.Match[str]) -> str:
        word = match[1]
        if word not in values:
            known = ", ".join(f"{{{name}}}" for name in values) or "no word"
            raise UsageError(
                f"The command {one_line(repr(list(argv)))} uses {{{word}}}, which has no value here; use {known}."
            )
        return str(values[word])

    return [_WORD.sub(replaced, word) for word in argv]


def interpreter(project: Json) -> Path:
    """The Python that a project's commands run with.

    In order: `settings.python` (relative to the checkout), a virtual environment in the user's checkout, the one
    under `state/` that setup made (`project.environment`), and the Python that runs apm.
    """
    checkout = Path(project["path"])
    named = project.get("settings", {}).get("python")
    if named:
        return checkout / Path(named).expanduser()
    homes = [checkout / ".venv", checkout / "venv"]
    if project.get("environment"):
        homes.append(Path(project["environment"]))
    candidates = (home / "bin" / "python" for home in homes)
    return next((path for path in candidates if path.is_file()), Path(sys.executable))


def python_path(worktree: Path, tech: Json) -> str:
    """PYTHONPATH that makes the worktree's code win over an editable install of the user's checkout."""
    source = tech.get("source_root") or ("src" if tech.get("layout") == "src" else "")
    return ":".join(str(root) for root in ([worktree / source, worktree] if source else [worktree]))
