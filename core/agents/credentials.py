"""What a project's deploy commands are given of apm's own environment: by name, and kept out of every record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.contract import Json
from core.projects.commands import CommandResult

SHORTEST_SECRET = 4
"""Characters; a shorter value stands in any output by chance."""


def granted(settings: Json, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that `deploy_env` names, with their values; those that are not set are left out."""
    return {name: environment[name] for name in settings.get("deploy_env", ()) if name in environment}


def not_set(settings: Json, environment: Mapping[str, str]) -> list[str]:
    """The names in `deploy_env` that have no value where apm runs."""
    return [name for name in settings.get("deploy_env", ()) if not environment.get(name)]


def without_values(result: CommandResult, values: Mapping[str, str]) -> CommandResult:
    """The result with each value in its words and output replaced by the variable's name."""

    def clean(text: str) -> str:
        for name, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
            # A value of several lines may be printed with other line ends, or a line at a time.
            for part in (value.strip(), *map(str.strip, value.splitlines())):
                if len(part) >= SHORTEST_SECRET:
                    text = text.replace(part, f"[{name}]")
        return text

    argv = tuple(clean(word) for word in result.argv)
    return replace(result, argv=argv, stdout=clean(result.stdout), stderr=clean(result.stderr))
