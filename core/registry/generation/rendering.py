"""From subjects to the files of a provider: text in, text out, nothing written.

Equal subjects give equal bytes everywhere: no clock, no absolute path, no order that a hash decides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.contract import ApmError
from core.paths import real
from core.registry.generation import checking
from core.registry.generation.providers import BUILT_IN, Provider
from core.registry.generation.subjects import Subject
from core.sanitise import sanitise

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.sandbox import SandboxedEnvironment

SHOWN_PROBLEMS = 10


class GenerationError(ApmError):
    """Files that cannot be made or written. The message names provider, agent and what is wrong."""


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file as it is to be. `path` is relative to the output folder, with `/`; `role` is empty for a section."""

    path: str
    text: str
    role: str

    @property
    def digest(self) -> str:
        return digest_of_text(self.text)


def digest_of_text(text: str) -> str:
    """SHA-256 of the text with LF line ends: what git makes of them on a checkout is nobody's edit."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "surrogateescape")).hexdigest()


def path_of(provider: Provider, subject: Subject) -> str | None:
    """Where the agent's file stands; None for an agent that the provider does not take."""
    if provider.is_section or (provider.file.skills_only and not subject.skill):
        return None
    pattern = provider.file.paths.get(subject.kind)
    return None if pattern is None else pattern.replace("{role}", subject.role)


def places_of(provider: Provider, role: str) -> frozenset[str]:
    """Every path at which the provider has a file for an agent of that role, whatever its kind."""
    if provider.file.path is not None:
        return frozenset([provider.file.path])
    if not re.fullmatch("[a-z0-9-]{1,64}", role):
        return frozenset()
    return frozenset(pattern.replace("{role}", role) for pattern in provider.file.paths.values())


def paths_of(provider: Provider, subjects: Sequence[Subject]) -> dict[str, Subject]:
    """Every agent's file; raises GenerationError when two agents would share one."""
    found: dict[str, Subject] = {}
    for subject in subjects:
        path = path_of(provider, subject)
        if path is not None and found.setdefault(path, subject) is not subject:
            raise GenerationError(f"{provider.name}: {found[path].role} and {subject.role} would both be {path}.")
    return found


def render(
    provider: Provider, subjects: Sequence[Subject], roles: frozenset[str] | None = None
) -> tuple[RenderedFile, ...]:
    """The provider's files, by path; only those of `roles` where given. `subjects` is the whole team all the same.

    Raises GenerationError naming the agents whose file would not load, the first ten of them.
    """
    if provider.is_section:
        return (_section(provider, subjects),)
    team = {subject.role: subject for subject in subjects}
    files, wrong = [], []
    for path, subject in sorted(paths_of(provider, subjects).items()):
        if roles is None or subject.role in roles:
            file = RenderedFile(path, _text(provider, agent=subject, team=team), subject.role)
            files.append(file)
            wrong += [f"{provider.name}: {subject.role} {what}." for what in _problems(provider, subject, file)]
    _raise(wrong)
    return tuple(files)


def _problems(provider: Provider, subject: Subject, file: RenderedFile) -> Iterator[str]:
    yield from checking.problems(provider, subject, file.text)
    yield from checking.size_problem("file", "bytes", len(file.text.encode()), provider.file.limits.file_bytes)


def _section(provider: Provider, subjects: Sequence[Subject]) -> RenderedFile:
    assert provider.file.path is not None
    text = _text(provider, subjects=subjects, team={subject.role: subject for subject in subjects})
    return RenderedFile(provider.file.path, text, "")


def _raise(wrong: Sequence[str]) -> None:
    if not wrong:
        return
    shown = [sanitise(line, limit=600, keep_newlines=False) for line in wrong[:SHOWN_PROBLEMS]]
    if len(wrong) > SHOWN_PROBLEMS:
        shown.append(f"… and {len(wrong) - SHOWN_PROBLEMS} more")
    raise GenerationError("\n".join(shown))


def _text(provider: Provider, **values: Any) -> str:
    """A template's text; agents' texts are values in it and never read as templates themselves."""
    from jinja2 import TemplateError

    agent: Subject | None = values.get("agent")
    if agent is not None:
        model = agent.model if agent.model and _knows(provider, agent.model) else None
        tools = provider.words(agent.tools)
        denied = tuple(w for w in provider.words(tuple(provider.file.tools)) if w not in tools)
        values |= {"tools": tools, "denied": denied, "model": model}
    try:
        template = _environment(provider.folder).get_template(provider.file.template)
        # Plain values only: a model's own methods would lead a template out of its sandbox.
        shown = {"name": provider.name, "title": provider.file.title}
        text = template.render(provider=shown, rewritten=provider.rewritten, **values)
    except (
        TemplateError,
        re.error,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        RecursionError,
        MemoryError,
    ) as error:
        who = f" for {agent.role}" if agent else ""
        raise GenerationError(_sentence(provider, who, error)) from None
    return text if text.endswith("\n") else text + "\n"


def _sentence(provider: Provider, who: str, error: Exception) -> str:
    where = f", line {line}" if (line := getattr(error, "lineno", None)) else ""
    words = sanitise(str(error), limit=300, keep_newlines=False)
    return f"{provider.name}: the template {provider.folder / provider.file.template}{where} fails{who}: {words}."


def _knows(provider: Provider, model: str) -> bool:
    return provider.file.models is not None and re.fullmatch(provider.file.models, model) is not None


@cache
def _environment(folder: Path) -> SandboxedEnvironment:
    """Templates of a provider's folder, and `_shared/…` beside it or built in."""
    from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from core.registry.generation.quoting import FILTERS

    class Inside(FileSystemLoader):
        """Templates only: what a link leads to outside of the folders would end up in a repository."""

        def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
            source, path, is_current = super().get_source(environment, template)
            if not any(real(Path(path)).is_relative_to(real(Path(root))) for root in self.searchpath):
                raise TemplateNotFound(template, f"{template!r} leads outside of the templates")
            return source, path, is_current

    environment = ImmutableSandboxedEnvironment(
        loader=Inside([folder, folder.parent, BUILT_IN]),
        undefined=StrictUndefined,
        autoescape=False,  # no format here is HTML: each value passes the filter of its own format
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        newline_sequence="\n",
    )
    environment.filters.update(FILTERS)
    return environment
