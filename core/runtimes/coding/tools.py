"""The tools of a coding agent as a model sees them: a table of schemas, which of them an agent has, and their check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Json
from core.runtimes.coding.declared import Declared
from core.sanitise import one_line

DONE = "done"


@dataclass(frozen=True, slots=True)
class Tool:
    """One row: `needs` is the word in the agent's own list of tools without which it does not get this one."""

    name: str
    needs: str
    description: str
    properties: Mapping[str, Json]
    required: tuple[str, ...] = ()

    def schema(self) -> Json:
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": {
                "type": "object",
                "properties": dict(self.properties),
                "required": list(self.required),
                "additionalProperties": False,
            },
        }


_PATH: Json = {"type": "string", "description": "From the worktree's top, as in src/app.py."}
_TEXTS: Json = {"type": "array", "items": {"type": "string"}}

TOOLS: tuple[Tool, ...] = (
    Tool(
        "list",
        "read",
        "The files below a folder, without those that git ignores.",
        {"path": {**_PATH, "description": "A folder; without it, the whole worktree."}},
    ),
    Tool(
        "read",
        "read",
        "A text file with its line numbers, or some lines of it.",
        {
            "path": _PATH,
            "from_line": {"type": "integer", "minimum": 1},
            "to_line": {"type": "integer", "minimum": 1},
        },
        ("path",),
    ),
    Tool(
        "search",
        "search",
        "Lines that hold a text, or that match a regular expression of Python's, in the files below a folder.",
        {
            "pattern": {"type": "string"},
            "path": {**_PATH, "description": "A folder or a file; without it, the whole worktree."},
            "regex": {"type": "boolean", "description": "Whether the pattern is a regular expression."},
        },
        ("pattern",),
    ),
    Tool(
        "edit",
        "edit",
        "Replaces a text that stands exactly once in a file. Give enough of what is around it to make it the only one.",
        {
            "path": _PATH,
            "old": {"type": "string", "description": "The text as it stands, without line numbers."},
            "new": {"type": "string", "description": "What stands there afterwards; empty to remove it."},
        },
        ("path", "old", "new"),
    ),
    Tool(
        "write",
        "write",
        "Makes a file, or replaces all that a file holds.",
        {"path": _PATH, "content": {"type": "string"}},
        ("path", "content"),
    ),
    Tool("remove", "write", "Removes a file.", {"path": _PATH}, ("path",)),
    Tool(
        "move",
        "write",
        "Moves a file, or gives it another name. Nothing may be there yet.",
        {"path": _PATH, "to": {**_PATH, "description": "Its new path, from the worktree's top."}},
        ("path", "to"),
    ),
    Tool(
        "run",
        "run",
        "Runs one of the commands that the project declares, in the worktree, and gives its exit code and output.",
        {"command": {"type": "string"}, "arguments": _TEXTS},
        ("command",),
    ),
    Tool(
        DONE,
        "",
        "Ends the task: what you changed is committed as it stands. Nothing comes after it.",
        {
            "summary": {"type": "string", "description": "What was done and why, in a few sentences."},
            "verifies": {
                "type": "object",
                "description": 'Which tests prove which criterion: {"AC1": ["tests/test_x.py::test_y"]}.',
                "additionalProperties": _TEXTS,
            },
            "decisions": {
                "type": "array",
                "description": "Choices that are not yours: {kind, domain, question, impact, options, recommended, "
                "topic}; topic is what two owners' decisions are about when they are about the same thing.",
                "items": {"type": "object"},
            },
            "missing": {
                **_TEXTS,
                "description": "What you cannot go on without. Then nothing is committed, and a person is asked.",
            },
        },
        ("summary", "verifies"),
    ),
)
"""In the order in which a model is told of them."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def allowed(own: Iterable[str]) -> dict[str, Tool]:
    """The tools of an agent whose row lists `own`."""
    words = set(own)
    return {tool.name: tool for tool in TOOLS if not tool.needs or tool.needs in words}


def schemas(tools: Mapping[str, Tool], commands: Mapping[str, Declared]) -> tuple[Json, ...]:
    """What the model is told: the tools, and in `run` the commands that there are."""
    found = []
    for tool in tools.values():
        schema = tool.schema()
        if tool.name == "run":
            schema["input_schema"]["properties"]["command"] = {"type": "string", "enum": sorted(commands)}
            takers = [name for name, command in commands.items() if command.takes]
            told = f"Paths or ids of tests; {', '.join(takers)} alone takes them." if takers else "None takes any."
            schema["input_schema"]["properties"]["arguments"] = {**_TEXTS, "description": told}
        found.append(schema)
    return tuple(found)


def mistake(tool: Tool, given: Any) -> str:
    """What is wrong with a call's input, in a sentence; empty when it is as the table says."""
    if not isinstance(given, dict):
        return f"The input of {tool.name} must be an object."
    for name in tool.required:
        if name not in given:
            return f"The input of {tool.name} lacks {name!r}."
    for name, value in given.items():
        if name not in tool.properties:
            known = ", ".join(tool.properties)
            return f"{tool.name} has no input {one_line(repr(name), 60)}; it has {known}."
        wrong = _mismatch(tool.properties[name], value)
        if wrong:
            return f"The input {name!r} of {tool.name} must be {wrong}."
    return ""


def _mismatch(schema: Json, value: Any) -> str:
    """What the value should be, empty when it is."""
    kind = str(schema["type"])
    if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return f"of the type {kind}"
    if kind == "integer" and value < schema.get("minimum", value):
        return f"at least {schema['minimum']}"
    inner = schema.get("items") if kind == "array" else schema.get("additionalProperties")
    parts: list[Any] = list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    if isinstance(inner, dict):
        for part in parts:
            wrong = _mismatch(inner, part)
            if wrong:
                return f"of the type {kind}, and each part of it {wrong}"
    return ""
