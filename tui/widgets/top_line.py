"""The header: what is governed, by which runtime, what runs, what waits for you, what today has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from textual.app import App
from textual.reactive import reactive

from core.sanitise import one_line
from tui.bridge import Change
from tui.text.amounts import budget_mark, of_limit
from tui.text.words import Line, Span
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.painted import PaintedLine, cells_of

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.reads_team import Undecided, Waiting
    from core.store.rows import LiveRow

MOST_BROKEN = 60
"""Characters of what is wrong in the team's files: enough for file, line and key. `apm doctor` tells the rest."""
UNCOUNTED = DELEGATIONS | {"phase.entered", "work_item.created", "work_item.accepted"}
"""Kinds of events that leave the number of questions as it is."""

_told: WeakKeyDictionary[App[Any], str] = WeakKeyDictionary()
"""The fault that was told last; every screen has a header of its own."""


class HeaderFacts(NamedTuple):
    """What the header tells."""

    projects: tuple[str, ...] = ()
    replay: bool = False
    is_driven: bool = False
    """Some process holds the lease."""
    is_viewer: bool = False
    """Another process does."""
    running: int = 0
    waiting: int = 0
    overdue: int = 0
    to_review: int = 0
    """Scope proposals that nobody has decided on."""
    to_accept: int = 0
    """Work items that nobody has accepted. The header leaves them to the panes."""
    cost: float = 0.0
    tokens: int = 0
    budget: float | None = None
    """Dollars that today may cost, where somebody has said so."""
    token_budget: int | None = None
    warn_at: int = 80
    """Percent of today's budget from which it is told loudly."""
    broken: str = ""
    """The first thing that is wrong in the team's files, while they cannot be brought in."""
    fault: str = ""
    """What keeps the engine from its work."""
    is_stopped: bool = False
    """The engine has given up; otherwise it tries again by itself."""


class TopLine(Live, PaintedLine):
    """One line, whatever the width: what is less pressing is left out first, the words of alarm never."""

    facts: reactive[HeaderFacts] = reactive(HeaderFacts())

    def __init__(self) -> None:
        super().__init__()
        self._waiting: Waiting | None = None
        self._undecided: Undecided | None = None

    async def read_anew(self, change: Change) -> None:
        counts = self._waiting is None or change.everything or not change.kinds <= UNCOUNTED
        waiting = None if counts else self._waiting
        undecided = None if change.everything or not change.kinds <= DELEGATIONS else self._undecided
        facts, self._waiting, self._undecided = await self.apm.bridge.read(
            lambda reader, live, now: _read(reader, live, now, self.apm.person, waiting, undecided)
        )
        self.facts = self._with_engine(facts)

    def tick(self, now: int) -> None:
        """An engine stops without an event; a question becomes overdue, or comes back, without one too."""
        if self._waiting is not None and self._waiting.until is not None and self._waiting.until <= now:
            self.apm.bridge.ask(self)
        self.facts = self._with_engine(self.facts)

    def _with_engine(self, facts: HeaderFacts) -> HeaderFacts:
        engine: Any = self.apm.engine
        fault = getattr(engine, "fault", None)
        stopped = fault is not None and not engine.is_driving
        told = one_line(str(fault) or type(fault).__name__, 500) if fault is not None else ""
        is_viewer = self.apm.is_viewer and (not stopped or facts.is_driven)
        return facts._replace(is_viewer=is_viewer, fault=told, is_stopped=stopped)

    def watch_facts(self, now: HeaderFacts) -> None:
        """The line has no room for a whole sentence: a fault is told in full once, when it comes."""
        has_read = self._waiting is not None
        if has_read and now.fault != _told.get(self.app, "") and self.screen is self.app.screen:
            _told[self.app] = now.fault
            if now.fault:
                self.apm.complain(fault_words(now))

    def halves(self, width: int) -> tuple[Line, Line]:
        """Left the alarms and the projects, right the figures; each in the longest form that fits."""
        for figures, projects, alarms in _FORMS:
            left, right = _left(self.facts, projects=projects, alarms=alarms), _right(self.facts, figures)
            if cells_of(left) + cells_of(right) + 2 <= width:
                break
        return left, right


BUDGET_WORDS = {"low": "budget nearly used", "out": "budget used up"}
_FORMS = ((2, True, 3), (1, True, 3), (1, False, 3), (1, False, 2), (1, False, 1), (1, False, 0), (0, False, 0))
"""How long the figures are, whether projects are named, and how long the alarms are."""


def fault_words(facts: HeaderFacts) -> str:
    """What happened to the engine, and how it goes on."""
    if not facts.is_stopped:
        return f"The engine is held up and tries again every few seconds. {facts.fault}"
    return (
        f"The engine stopped. {facts.fault} What is recorded is kept. It starts again by itself while no other apm "
        "drives this workspace; if it does not, press q and start apm again."
    )


def _read(
    reader: Connection,
    live: LiveRow,
    now: int,
    person: str,
    known: Waiting | None,
    known_undecided: Undecided | None,
) -> tuple[HeaderFacts, Waiting, Undecided]:
    from core.governance.budget_reads import NOBODY, rules_in_force, warn_at
    from core.governance.budgets import limit_of
    from core.registry.importing import read_refused
    from core.store import reads, reads_team

    waiting = known or reads_team.waiting(reader, now, person)
    undecided = known_undecided or reads_team.undecided(reader)
    rules, used = rules_in_force(reader), reads_team.cost_of_day(reader, now)
    limit = limit_of(reader, "day", NOBODY, now, rules)
    facts = HeaderFacts(
        projects=tuple(p.name for p in reads.projects(reader)),
        replay=reads_team.is_replayed(reader),
        is_driven=live.is_driven,
        running=len(live.work_items),
        waiting=waiting.needs_me,
        overdue=waiting.overdue,
        to_review=undecided.proposals,
        to_accept=undecided.work_items,
        cost=used.dollars,
        tokens=used.tokens,
        budget=limit.dollars,
        token_budget=limit.tokens,
        warn_at=warn_at(rules),
        broken=one_line(read_refused(reader).partition("\n")[0], MOST_BROKEN),
    )
    return facts, waiting, undecided


def _left(facts: HeaderFacts, *, projects: bool, alarms: int) -> Line:
    """Alarms: 3 all in words, 2 only the engine's, 1 by name, 0 those without which the figures would be misread."""
    names = [one_line(name, 40) for name in facts.projects]
    shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    spans: list[Span] = [(" apm ", "strong")]
    if projects and shown:
        spans += [(" ", "text"), (shown, "dim"), (" ", "text")]
    if facts.fault:
        state = "engine stopped" if facts.is_stopped else "engine held up"
        why = f": {one_line(facts.fault, 20 * alarms)}" if alarms >= 2 else ""
        spans += [(" ", "text"), (f" {state}{why} ", "loud")]
    if facts.replay:
        spans += [(" ", "text"), (" REPLAY: recorded answers " if alarms == 3 else " REPLAY ", "loud")]
    if facts.broken and alarms:
        spans += [(" ", "text"), (f" {facts.broken} " if alarms == 3 else " agents.yaml ", "loud")]
    if facts.is_viewer and alarms:
        spans += [("  ", "text"), ("viewer: another apm drives" if alarms == 3 else "viewer", "ask")]
    return tuple(spans)


def _right(facts: HeaderFacts, length: int) -> Line:
    """Figures: 2 all with their words, 1 with the shortest, 0 bare."""
    gap: Span = ("   " if length == 2 else " ", "text")
    by = " " if length else ""
    spans: list[Span] = []
    for glyph, number, words, tone in (
        ("●", facts.running, ("", "", " running"), "run" if facts.running else "dim"),
        ("◆", facts.waiting, ("", "", " waiting for you"), "ask" if facts.waiting else "dim"),
        ("▲", facts.overdue, ("", " late", " overdue"), "bad"),
        ("○", facts.to_review, ("", " to review", " to review"), "text"),
    ):
        if number or glyph in "●◆":
            spans += [*([gap] if spans else []), (f"{glyph}{by}{number:,}{words[length]}", tone)]
    cost = _cost(facts, length)
    return (*spans, *((gap, cost) if cost[0] else ()), (" ", "text"))


def _cost(facts: HeaderFacts, length: int) -> Span:
    """What today has cost of its budget: with its mark once little of that is left, and else only where there is room.

    Of dollars and tokens the one that is nearer to its end.
    """
    shares = [
        (used / most if most else 1.0, unit, used, most)
        for unit, used, most in (("dollars", facts.cost, facts.budget), ("tokens", facts.tokens, facts.token_budget))
        if most is not None
    ]
    usual = ("tokens", facts.tokens) if facts.tokens and not facts.cost else ("dollars", facts.cost)
    share, unit, used, most = max(shares, default=(None, *usual, None))
    mark = budget_mark(None if share is None else int(100 * share), facts.warn_at)
    told = of_limit(unit, used, most, short=length < 2)
    if not length:
        told = told.removesuffix(" tok")
    if mark is None:
        return (f"{told} today", "dim") if length == 2 else ("", "dim")
    word = ("", f"{mark.word} ", f"{BUDGET_WORDS[mark.word]}: ")[length]
    return f"{mark.glyph} {word}{told}{' today' if length == 2 else ''}", mark.tone
