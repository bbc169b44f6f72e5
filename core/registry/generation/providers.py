"""Providers as data: a folder with `provider.yaml` and templates is one; nothing in code knows any by name.

Folders stand in `core/registry/templates/` and in a workspace's own `templates/`; the workspace's goes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, ValidationError

from core.contract import UsageError, canonical_json
from core.registry.documents import Document, DocumentError, Problem, did_you_mean, read
from core.registry.generation.subjects import Kind
from core.registry.schema import Part, Tool, Words

FILE_NAME = "provider.yaml"
BUILT_IN = Path(__file__).resolve().parent.parent / "templates"
DEFAULT = "claude-code"
"""The provider that comes first: its files are the ones an agent's row names."""

Format = Literal["markdown", "toml", "json", "xml", "section"]
FieldRule = Literal["role", "display_name", "description", "sop", "line", "texts", "tools", "number", "flag", "mapping"]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
TemplateName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.j2$")]
FilePattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Size = Annotated[int, Field(ge=1, le=10_000_000)]


class Limits(Part):
    """What the provider reads of a file before it cuts or refuses: characters, lines, or bytes of the whole file."""

    name: Size = 64
    description: Size | None = None
    body: Size | None = None
    body_lines: Size | None = None
    file_bytes: Size | None = None


class Rewrite(Part):
    """Text that the provider would take for an instruction to itself, and what is written in its place."""

    pattern: Words
    replacement: Annotated[str, StringConstraints(max_length=64)]
    why: Words


class ProviderFile(Part):
    """What `provider.yaml` may say.

    `paths` has a pattern with `{role}` per kind of agent; a kind without one is not generated. `path` is the one
    file of a `section`. `tools` translates apm's words; `fields` says what each field of a made file must hold, with
    `body` for what stands below the front matter of Markdown; fields that it does not name are refused. `models` is
    a pattern of the models that the provider knows: any other name is left out, and the agent runs on its caller's.
    """

    title: Words
    loaded_by: Words
    format: Format
    template: TemplateName
    paths: dict[Kind, FilePattern] = Field(default_factory=dict)
    path: FilePattern | None = None
    skills_only: bool = False
    tools: dict[Tool, tuple[Words, ...]] = Field(default_factory=dict)
    fields: dict[FieldName, FieldRule] = Field(default_factory=dict)
    required: tuple[FieldName, ...] = ()
    names: Words = "[a-z0-9]+(-[a-z0-9]+)*"
    reserved: tuple[Words, ...] = ()
    models: Words | None = None
    rewrites: tuple[Rewrite, ...] = ()
    limits: Limits = Limits()


@dataclass(frozen=True)
class Provider:
    """A provider that can be generated for: its name, its checked file, and where its templates stand."""

    name: str
    file: ProviderFile
    folder: Path

    @property
    def is_section(self) -> bool:
        return self.file.format == "section"

    @cached_property
    def known_words(self) -> frozenset[str]:
        return frozenset(word for words in self.file.tools.values() for word in words)

    def words(self, tools: tuple[str, ...]) -> tuple[str, ...]:
        """The provider's words for some of apm's tools, in the order in which apm names them, each once."""
        asked: tuple[Tool, ...] = tuple(tool for tool in get_args(Tool) if tool in tools)
        return tuple(dict.fromkeys(word for tool in asked for word in self.file.tools.get(tool, ())))

    def rewritten(self, text: str) -> str:
        for rewrite in self.file.rewrites:
            text = re.sub(rewrite.pattern, rewrite.replacement, text)
        return text


def names(templates: Path | None = None) -> tuple[str, ...]:
    """Every provider there is, the default first. `templates` is a workspace's own folder of them, if it has one."""
    found = {
        file.parent.name for folder in _folders(templates) if folder.is_dir() for file in folder.glob(f"*/{FILE_NAME}")
    }
    return tuple(sorted((n for n in found if not n.startswith(("_", "."))), key=lambda n: (n != DEFAULT, n)))


def provider(name: str, templates: Path | None = None) -> Provider:
    """The provider of that name; raises UsageError for an unknown one, DocumentError for one with a bad file."""
    known = names(templates)
    for folder in _folders(templates) if name in known else ():
        if (file := folder / name / FILE_NAME).is_file():
            return Provider(name, _checked(file), file.parent)
    hint = did_you_mean(name, known) or f"; there are {', '.join(known)}."
    raise UsageError(f"There is no provider {name!r}{hint}")


def _folders(templates: Path | None) -> tuple[Path, ...]:
    return (BUILT_IN,) if templates is None else (templates, BUILT_IN)


def _checked(path: Path) -> ProviderFile:
    document = read(path)
    try:
        file = ProviderFile.model_validate_json(canonical_json(document.data))
    except ValidationError as error:
        raise DocumentError(str(path), _problems(error, document)) from None
    if problems := [document.problem((key,), text) for key, text in _contradictions(file)]:
        raise DocumentError(str(path), problems)
    return file


def _problems(error: ValidationError, document: Document) -> list[Problem]:
    found = []
    for item in error.errors(include_url=False):
        place = tuple(step for step in item["loc"] if step != "[key]")
        text = item["msg"][:1].lower() + item["msg"][1:]
        if item["type"] == "extra_forbidden":
            text = "is not a key known here" + did_you_mean(str(place[-1]), ProviderFile.model_fields)
        elif item["type"] == "missing":
            text = "is missing"
        found.append(document.problem(place, text))
    return found


def _contradictions(file: ProviderFile) -> list[tuple[str, str]]:
    """What the schema cannot say, as (key, sentence)."""
    found = []
    if file.format == "section":
        if file.path is None or file.paths:
            found.append(("path", "is the one file of a section; write `path`, and no `paths`"))
    elif file.path is not None or not file.paths:
        found.append(("paths", "must name a file for each kind of agent, and `path` is for sections only"))
    for key, pattern in (("path", file.path), *(("paths", pattern) for pattern in file.paths.values())):
        if pattern is not None and not _is_inside(pattern, needs_role=key == "paths"):
            found.append((key, f"{pattern!r} must be a path inside the folder, with / and one {{role}} per agent"))
    for key, pattern in (
        ("names", file.names),
        ("models", file.models),
        *(("rewrites", rewrite.pattern) for rewrite in file.rewrites),
    ):
        try:
            re.compile(pattern or "")
        except re.error as error:
            found.append((key, f"{pattern!r} is no regular expression: {error}"))
    for name in file.required:
        if name not in file.fields:
            found.append(("required", f"{name!r} does not stand in `fields`"))
    return found


def _is_inside(pattern: str, *, needs_role: bool) -> bool:
    if pattern.count("{role}") != (1 if needs_role else 0):
        return False
    parts = pattern.replace("{role}", "role").split("/")
    if any(part.lower() in (".git", ".apm") for part in parts):
        return False
    return not any(part in ("", ".", "..") or re.search(r'[\\{}:*?"<>|\x00-\x1f]', part) for part in parts)
