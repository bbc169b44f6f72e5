"""Which public names of a Python project a branch adds or changes, and whether their docstrings tell of it."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.agents.branch import is_test_file, shown
from core.contract import Json
from core.projects import git

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class PublicName:
    """A public function, class or method that the branch adds or changes.

    `surface` says that callers see the change (it is new, or its signature differs); `told` that its docstring is
    there and was written or changed by the branch.
    """

    name: str
    path: str
    line: int
    surface: bool
    told: bool

    @property
    def place(self) -> str:
        return f"{self.name} ({shown(self.path)}:{self.line})"


async def changed_names(worktree: Path, base: str, head: str, tech: Json) -> list[PublicName]:
    """The public names that differ between two commits, outside the tests; files that do not parse have none."""
    found: list[PublicName] = []
    for status, path in await git.changed_files(worktree, base, head):
        if status == "D" or not path.endswith(".py") or is_test_file(path, tech) or _is_private(path):
            continue
        before = await asyncio.to_thread(_definitions, await git.file_at(worktree, base, path) or "")
        after = await asyncio.to_thread(_definitions, await git.file_at(worktree, head, path) or "")
        pairs = ((name, node, before.get(name)) for name, node in after.items())
        found += [_compared(name, path, node, old) for name, node, old in pairs if _differs(node, old)]
    return found


def _is_private(path: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in PurePosixPath(path).with_suffix("").parts)


def _definitions(source: str) -> dict[str, Definition]:
    try:
        return dict(_public(ast.parse(source), ""))
    except (SyntaxError, ValueError, RecursionError):
        return {}


def _public(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield f"{prefix}{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{prefix}{child.name}.")


def _differs(node: Definition, before: Definition | None) -> bool:
    """A class differs by its head, its fields and its docstring: its methods stand for themselves."""
    return before is None or _text(node) != _text(before)


def _text(node: Definition) -> str:
    if not isinstance(node, ast.ClassDef):
        return ast.dump(node)
    own = [child for child in node.body if not isinstance(child, Definition)]
    return _signature(node) + "".join(ast.dump(child) for child in own)


def _signature(node: Definition) -> str:
    """What callers see: arguments and result of a function, bases of a class, decorators of both."""
    decorators = "".join(ast.dump(decorator) for decorator in node.decorator_list)
    if isinstance(node, ast.ClassDef):
        return decorators + "".join(ast.dump(base) for base in [*node.bases, *node.keywords])
    returns = ast.dump(node.returns) if node.returns else ""
    return f"{type(node).__name__}{decorators}{ast.dump(node.args)}{returns}"


def _compared(name: str, path: str, node: Definition, before: Definition | None) -> PublicName:
    docstring = ast.get_docstring(node)
    return PublicName(
        name=name,
        path=path,
        line=node.lineno,
        surface=before is None or _signature(node) != _signature(before),
        told=bool(docstring) and (before is None or docstring != ast.get_docstring(before)),
    )
