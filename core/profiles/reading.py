"""Profiles: what a new workspace begins with beside the team that comes with apm.

A profile is a folder of data here. `profile.yaml` has its title and the values that it puts into `agents.yaml`;
`agents.d/*.yaml` are overlays for the workspace; `shared_context.json` is what people say of the product and the
milestone. Each of the last two may be missing. A new profile is a new folder, and no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from core.contract import ApmError, Json, UsageError
from core.registry.documents import Place, did_you_mean, parse
from core.registry.sources import FILE_NAME, OVERLAYS
from core.sanitise import one_line

DEFAULT = "default"
"""The one that says nothing beside the team."""
_FILE = "profile.yaml"
_FACTS = "shared_context.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """`values` go into `agents.yaml`, by the place they have there; `overlays` beside it, by their names in the
    workspace; `facts` are a shared context."""

    name: str
    title: str
    values: Mapping[Place, str] = field(default_factory=dict)
    overlays: Mapping[str, bytes] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)

    def team(self, content: bytes) -> bytes:
        """An `agents.yaml` with the profile's values in it; every other letter, remarks included, as it was.

        Raises ApmError where the file has no such place on a line of its own.
        """
        for place, value in self.values.items():
            content = _with(content, place, value, self.name)
        return content


def names() -> tuple[str, ...]:
    """The profiles that come with apm, the usual one first."""
    found = [entry.name for entry in _folder().iterdir() if entry.is_dir() and entry.joinpath(_FILE).is_file()]
    return tuple(sorted(found, key=lambda name: (name != DEFAULT, name)))


def read(name: str) -> Profile:
    """The profile with that name; raises UsageError that names the known ones."""
    known = names()
    if name not in known:
        hint = did_you_mean(name, known) or f"; known are {', '.join(map(repr, known))}."
        raise UsageError(f"There is no profile {one_line(name, 64)!r}{hint}")
    folder = _folder() / name
    data = parse(folder.joinpath(_FILE).read_bytes(), f"{name}/{_FILE}").data
    values = {tuple(place.split(".")): str(value) for place, value in (data.get("values") or {}).items()}
    facts = folder.joinpath(_FACTS)
    return Profile(
        name,
        str(data["title"]),
        values,
        _overlays(folder.joinpath(OVERLAYS)),
        json.loads(facts.read_bytes()) if facts.is_file() else {},
    )


def _folder() -> Traversable:
    return resources.files(__package__)


def _overlays(folder: Traversable) -> dict[str, bytes]:
    found = sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
    return {f"{OVERLAYS}/{entry.name}": entry.read_bytes() for entry in found if entry.name.endswith(".yaml")}


def _with(content: bytes, place: Place, value: str, profile: str) -> bytes:
    """The file with one text in another's place, told by its line; read back, and nothing but that has changed."""
    before = parse(content, FILE_NAME)
    lines = content.decode().splitlines(keepends=True)
    number = before.line_of(place) - 1
    key = re.escape(str(place[-1]))
    found = re.fullmatch(rf"(\s*{key}:[ ]+)(?:\"[^\"]*\"|[^#\n]*?)(\s*(?:#[^\n]*)?\n)", lines[number])
    if found is not None:
        lines[number] = f"{found[1]}{json.dumps(value)}{found[2]}"
    after = "".join(lines).encode()
    if found is None or parse(after, FILE_NAME).data != _changed(before.data, place, value):
        where = ".".join(map(str, place))
        raise ApmError(f"The profile {profile} does not fit {FILE_NAME}: it has no {where} on a line of its own.")
    return after


def _changed(data: Any, place: Place, value: str) -> Any:
    if not place:
        return value
    first, *rest = place
    return {**data, first: _changed(data.get(first, {}), tuple(rest), value)}
