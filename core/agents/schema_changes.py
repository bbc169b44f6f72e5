"""Whether a branch changes the database's schema, read from model classes and DDL, and whether it brings migrations."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.agents.branch import is_test_file, shown
from core.contract import Json
from core.projects import git
from core.sanitise import one_line


@dataclass(frozen=True, slots=True)
class Orm:
    """How fields look in one library: what a file of models imports, and the calls and annotations of a field."""

    name: str
    imports: tuple[str, ...]
    calls: re.Pattern[str]
    annotations: re.Pattern[str] | None = None


ORMS: tuple[Orm, ...] = (
    Orm("django", ("django.db", "django.contrib.gis.db"), re.compile(r"(models\.)?(\w+Field|ForeignKey)")),
    Orm("peewee", ("peewee", "playhouse"), re.compile(r"(\w+\.)?(\w*Field|ForeignKeyField)")),
    Orm(
        "sqlalchemy",
        ("sqlalchemy", "flask_sqlalchemy", "sqlmodel"),
        re.compile(r"(\w+\.)?(Column|mapped_column)"),
        re.compile(r"(\w+\.)?Mapped\[.*"),
    ),
)
_UNMISTAKABLE = re.compile(r"db\.Column|models\.(\w+Field|ForeignKey)")
"""Fields that need no import in the same file: the object they hang on is the library's own."""

_DDL = re.compile(r"^\s*(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|COLUMN|TYPE)\b", re.I)
_SCHEMA_FILES = (".prisma",)
_MIGRATION_FOLDERS = {"migrations", "versions", "migrate"}
_MIGRATION_SUFFIXES = {".py", ".sql", ".rb", ".js", ".ts"}
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)")


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What the branch does to the schema: each change with its place, and the migrations that it adds."""

    changes: tuple[str, ...]
    created: tuple[str, ...]


async def schema_change(worktree: Path, base: str, head: str, tech: Json) -> SchemaChange:
    """Compare models, DDL and migrations of two commits; what lies in tests does not count."""
    changes: list[str] = []
    created: list[str] = []
    for status, path in await git.changed_files(worktree, base, head):
        if is_migration(path, tech):
            created += [path] if status == "A" else []
        elif path.endswith(".py") and not is_test_file(path, tech):
            before = await git.file_at(worktree, base, path) if status != "A" else None
            after = await git.file_at(worktree, head, path) if status != "D" else None
            found = await asyncio.to_thread(_differences, before or "", after or "")
            changes += [f"{path}:{line} {text}" for line, text in found]
        elif path.endswith(".sql"):
            changes += [f"{path}:{line} {text}" for line, text in await _ddl(worktree, base, head, path)]
        elif path.endswith(_SCHEMA_FILES):
            changes.append(f"{path}:1 the schema file changed")
    return SchemaChange(tuple(one_line(change) for change in changes), tuple(map(shown, created)))


def is_migration(path: str, tech: Json) -> bool:
    """A file in the project's migration folders, or in one that is called so; a package marker is none."""
    place = PurePosixPath(path)
    if place.suffix not in _MIGRATION_SUFFIXES or place.name == "__init__.py":
        return False
    named = tuple(f"{folder.rstrip('/')}/" for folder in tech.get("migrations") or ())
    return (bool(named) and path.startswith(named)) or bool(_MIGRATION_FOLDERS & set(place.parts[:-1]))


def _differences(before: str, after: str) -> list[tuple[int, str]]:
    old, new = model_fields(before), model_fields(after)
    found = [(line, f"{name} added: {text}") for name, (line, text) in new.items() if name not in old]
    found += [
        (line, f"{name} changed: {text}") for name, (line, text) in new.items() if name in old and old[name][1] != text
    ]
    return sorted([*found, *((1, f"{name} removed") for name in old if name not in new)])


def model_fields(source: str) -> Mapping[str, tuple[int, str]]:
    """`Model.field` → (line, definition) of a module; empty when it defines none or does not parse."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    imported = {name for node in ast.walk(module) for name in _imports(node)}
    orms = [orm for orm in ORMS if any(_is_from(name, orm.imports) for name in imported)]
    fields: dict[str, tuple[int, str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            for line, name, text in _fields(node, orms):
                fields[f"{node.name}.{name}"] = (line, text)
    return fields


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def _is_from(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _fields(node: ast.ClassDef, orms: list[Orm]) -> Iterator[tuple[int, str, str]]:
    for statement in node.body:
        target = _target(statement)
        if target is None:
            continue
        value = getattr(statement, "value", None)
        call = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
        note = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else ""
        known = any(orm.calls.fullmatch(call) or (orm.annotations and orm.annotations.fullmatch(note)) for orm in orms)
        if known or _UNMISTAKABLE.fullmatch(call):
            yield statement.lineno, target, ast.unparse(statement)


def _target(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return None


async def _ddl(worktree: Path, base: str, head: str, path: str) -> list[tuple[int, str]]:
    """Statements of a .sql file that the branch adds or takes away."""
    text = await git.git(worktree, "diff", "-U0", "--no-ext-diff", "--end-of-options", base, head, "--", path)
    return [
        (line, f"{words.strip()}{' removed' if sign == '-' else ''}")
        for _, line, sign, words in changed_lines(text)
        if _DDL.match(words)
    ]


def changed_lines(patch: str) -> Iterator[tuple[str, int, str, str]]:
    """(path, line in the new file, `+` or `-`, text) of each changed line of a patch made with `-U0`."""
    path, line = "", 0
    for row in patch.splitlines():
        hunk = _HUNK.match(row)
        if row.startswith("+++ "):
            path = row[4:].removeprefix("b/")
        elif hunk:
            line = int(hunk[1])
        elif row.startswith("-") and not row.startswith("--- "):
            yield path, line, "-", row[1:]
        elif row.startswith("+"):
            yield path, line, "+", row[1:]
            line += 1
