"""What the settings screen tells and does not set itself: the channels of notices, and what executes the agents."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from core.contract import ApmError
from core.governance.notices.channels import FILE_NAME as CHANNELS_FILE
from core.governance.notices.channels import HOUSE, SUBJECTS, Channel, read_channels
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows_governance import NotificationRow
from tui.bridge import Change
from tui.screens.settings.models_text import ModelFacts, model_paragraphs, read_models
from tui.text.words import Line, plural, span_of_time
from tui.widgets.document import BLANK, Document, Paragraph, heading
from tui.widgets.live import DELEGATIONS, Live

if TYPE_CHECKING:
    from core.workspace import Workspace

NEWEST = 500
"""Notices that are looked through for each channel's last."""
NAME_CELLS = 14

SETTLED = {
    "sent": ("✓", "good", "sent"),
    "failed": ("✗", "bad", "failed"),
    "suppressed": ("·", "faint", "kept back"),
}
"""Outcomes: glyph, tone and word."""


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel, what it is told of, and how its last notices went."""

    name: str
    about: str
    last: tuple[NotificationRow, ...] = ()
    """The newest of each outcome."""
    waiting: int = 0
    trouble: str = ""
    """Why the last try of what still waits failed."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    channels: tuple[ChannelFacts, ...] = ()
    fault: str = ""
    """What is wrong in the file of channels."""


def read_notices(reader: Connection, state: Path, environment: Mapping[str, str]) -> NoticeFacts:
    """On a store thread."""
    rows = reads_governance.notifications(reader, limit=NEWEST)
    house = [(name, "always there, told of everything") for name in HOUSE]
    try:
        outside = [(channel.name, _about(channel, environment)) for channel in read_channels(state).outside]
        fault = ""
    except ApmError as error:
        outside, fault = [], one_line(str(error), 300)
    return NoticeFacts(tuple(_facts(name, about, rows) for name, about in (*house, *outside)), fault)


def _about(channel: Channel, environment: Mapping[str, str]) -> str:
    """By its scheme only: the rest of a URL is a secret."""
    missing = channel.missing(environment)
    if missing:
        return f"needs the variable {missing[0]}, which is not set here"
    what = "everything" if set(channel.what) == set(SUBJECTS) else ", ".join(channel.what)
    return f"{channel.scheme(environment)}, told of {what} when {' or '.join(u.lower() for u in channel.urgencies)}"


def _facts(name: str, about: str, rows: Sequence[NotificationRow]) -> ChannelFacts:
    mine = [row for row in rows if row.channel == name]
    newest = {row.outcome: row for row in reversed(mine) if row.outcome is not None}
    waiting = [row for row in mine if row.outcome is None]
    trouble = next((row.error for row in waiting if row.error), "") or ""
    last = tuple(sorted(newest.values(), key=lambda row: -(row.outcome_at or row.at)))
    return ChannelFacts(name, about, last, len(waiting), trouble)


def notice_paragraphs(facts: NoticeFacts, now: int) -> Iterator[Paragraph]:
    for channel in facts.channels:
        yield Paragraph(((f"{channel.name:<{NAME_CELLS}}", "strong"),), NAME_CELLS, ((one_line(channel.about), "dim"),))
        yield from (_line(_told(row, now)) for row in channel.last)
        if channel.waiting:
            why = f": {one_line(channel.trouble, 120)}" if channel.trouble else ""
            yield _line((("● ", "ask"), (f"{plural(channel.waiting, 'notice waits', 'notices wait')}{why}", "text")))
        if not channel.last and not channel.waiting:
            yield _line((("· ", "faint"), ("nothing was sent yet", "dim")))
    if facts.fault:
        yield BLANK
        yield Paragraph((("✗ ", "bad"), (facts.fault, "text")), 2)
    yield BLANK
    yield Paragraph((("To tell others", "accent"),))
    yield Paragraph(
        (
            ("Write names and urls of channels, as Apprise has them, into ", "dim"),
            (f"state/{CHANNELS_FILE}", "text"),
            ("; ", "dim"),
            ("apm doctor", "text"),
            (" checks each of them.", "dim"),
        )
    )


def _line(line: Line) -> Paragraph:
    return Paragraph((("  ", "text"), *line), 4)


def _told(row: NotificationRow, now: int) -> Line:
    glyph, tone, word = SETTLED.get(str(row.outcome), ("·", "faint", one_line(str(row.outcome), 20)))
    ago = span_of_time(now - (row.outcome_at or row.at))
    why = f" ({one_line(row.error, 120)})" if row.error else ""
    return (f"{glyph} ", tone), (f"{word} {ago} ago  ", "dim"), (one_line(row.subject, 160), "text"), (why, "dim")


class NoticesPane(Live, Document):
    """The channels, and what was sent last."""

    TITLE = "notifications"
    UNMOVED_BY = DELEGATIONS
    _facts: NoticeFacts | None = None

    @property
    def summary(self) -> str:
        return "" if self._facts is None else plural(len(self._facts.channels), "channel")

    async def read_anew(self, change: Change) -> None:
        state = self.apm.workspace.state
        self._facts = await self.apm.bridge.read(lambda reader, _, __: read_notices(reader, state, os.environ))
        self.tick(self.apm.now())

    def tick(self, now: int) -> None:
        if self._facts is not None:
            self.show(list(notice_paragraphs(self._facts, now)))


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What executes agents of each type, who differs from that, and what can execute anybody here."""

    defaults: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Agents by type and runtime."""
    differing: tuple[tuple[str, str], ...] = ()
    """Agents that name another runtime than their type's, and which."""
    available: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    fault: str = ""
    models: ModelFacts = field(default_factory=ModelFacts)


def read_runtimes(reader: Connection, workspace: Workspace, now: int) -> RuntimeFacts:
    """On a store thread: loading the engine and the catalog takes a moment."""
    from core.orchestration.runtimes import available_runtimes
    from core.registry.schema import Runtime

    agents = reads.agents(reader)
    try:
        defaults = workspace.sections["defaults"]
        fault = ""
    except ApmError as error:
        defaults, fault = {}, one_line(str(error), 300)
    try:
        available = frozenset(available_runtimes(workspace).by_name)
    except ApmError as error:
        available, fault = frozenset(), fault or one_line(str(error), 300)
    usual: dict[str, str] = {key.replace("_", "-"): value for key, value in defaults.get("runtimes", {}).items()}
    return RuntimeFacts(
        defaults=usual,
        counts=Counter((agent.agent_type, agent.runtime) for agent in agents),
        differing=tuple((a.role, a.runtime) for a in agents if usual and a.runtime != usual.get(a.agent_type)),
        available=available,
        known=get_args(Runtime),
        limits=defaults.get("limits", {}),
        model=one_line(str(defaults.get("model") or ""), 80),
        fault=fault,
        models=read_models(reader, workspace, now),
    )


AUTO = "auto"
LIMITS = {
    "parallel_work_items": "work items at once",
    "revision_rounds": "rounds of revision before a person is asked",
    "delegation_seconds": "seconds for one request to one agent",
}
MOST_DIFFERING = 12


def runtime_paragraphs(facts: RuntimeFacts) -> Iterator[Paragraph]:
    types = dict.fromkeys([*facts.defaults, *(kind for kind, _ in facts.counts)])
    for kind in types:
        usual = facts.defaults.get(kind, "")
        runs = {runtime: count for (of, runtime), count in sorted(facts.counts.items()) if of == kind}
        told = ", ".join(f"{count} on {one_line(runtime, 30)}" for runtime, count in runs.items()) or "none"
        name: Line = ((f"{one_line(kind, 20):<{NAME_CELLS}}", "text"),)
        yield Paragraph((*name, (f"{usual:<10}", "strong")) if usual else name, NAME_CELLS, ((told, "dim"),))
    if facts.fault:
        yield Paragraph((("✗ ", "bad"), (facts.fault, "text")), 2)
    yield BLANK
    yield heading("On this machine")
    named = [name for name in facts.known if name != AUTO and name not in facts.models.missing]
    can = [name for name in named if name in facts.available]
    cannot = [_why_not(name) for name in named if name not in facts.available]
    for glyph, tone, word, names in (("✓", "good", "can run", can), ("·", "faint", "cannot run", cannot)):
        name = ((f"{glyph} ", tone), (f"{word:<{NAME_CELLS - 2}}", "text"))
        yield Paragraph(name, NAME_CELLS, ((", ".join(names) or "none", "dim"),))
    yield from model_paragraphs(facts.models)
    yield from _differing(facts)
    if facts.limits:
        yield BLANK
        yield heading("Limits")
        for key, words in LIMITS.items():
            if key in facts.limits:
                yield Paragraph(((f"{facts.limits[key]:>5} ", "strong"), (words, "dim")), 6)
        yield Paragraph((("model ", "dim"), (facts.model or "none is set", "strong" if facts.model else "dim")))
    yield BLANK
    yield heading("To change it")
    yield Paragraph(
        (
            ("agents.yaml: ", "text"),
            ("`defaults: runtimes:` for a whole type, `runtime:` on one agent. It is read again when saved.", "dim"),
        )
    )


def _why_not(name: str) -> str:
    return f"{name} (no recording is set)" if name == "replay" else name


def _differing(facts: RuntimeFacts) -> Iterator[Paragraph]:
    """Agents whose own runtime goes before their type's."""
    if not facts.differing:
        return
    yield BLANK
    yield heading("By their own choice")
    for role, runtime in facts.differing[:MOST_DIFFERING]:
        yield Paragraph(((f"{one_line(role, 30):<30} ", "text"), (one_line(runtime, 20), "dim")), 2)
    more = len(facts.differing) - MOST_DIFFERING
    if more > 0:
        yield Paragraph(((f"and {plural(more, 'other')}; `apm agents list` shows all", "dim"),))


class RuntimesPane(Live, Document):
    """What executes whom."""

    TITLE = "runtimes"
    UNMOVED_BY = DELEGATIONS - {"spend.settled"}
    PLACES: ClassVar[tuple[str, ...]] = ("document",)
    _facts: RuntimeFacts | None = None

    @property
    def summary(self) -> str:
        return "" if self._facts is None else plural(sum(self._facts.counts.values()), "agent")

    async def read_anew(self, change: Change) -> None:
        workspace = self.apm.workspace
        self._facts = await self.apm.bridge.read(lambda reader, _, now: read_runtimes(reader, workspace, now))
        self.show(list(runtime_paragraphs(self._facts)))
