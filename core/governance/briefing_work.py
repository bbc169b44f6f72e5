"""What the briefing says of the work: how far the milestone is, what else goes on, and what each team did.

Counts are the database's own, lists are short: neither grows dear with what lies behind it. "Now" is a reading; a sum
names its window.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, Select, fn

from core.contract import PHASE_CODES, canonical_json
from core.governance.briefing_document import DAY_MS, Item, Section, more, section
from core.governance.budget_reads import NOBODY, standings
from core.governance.budgets import amount
from core.governance.decisions import DOMAIN_AGENTS
from core.phases import PHASE_BY_CODE
from core.phrases import counted
from core.sanitise import one_line
from core.store import archived_work, reads, rows, states
from core.store.reads import Connection
from core.store.schema import Escalation, WorkItem

MOST_WORK_ITEMS = 8
MOST_HOLDING = 3
"""Questions named beside a work item that they hold up."""
MOST_NAMED = 5
"""Work items named in a sum."""
TITLE = 60
LIST = "apm work-item list"
OTHERS = "others"
"""The team of the agents that belong to no phase and own no decisions: specialists, utilities."""


@dataclass(frozen=True, slots=True)
class _Stand:
    """Work items that have the same facts, which are 1 or None: all that a state depends on."""

    number: int
    is_tagged: int | None
    accepted_at: int | None
    released_at: int | None
    closed_at: int | None
    failed_at: int | None
    cancelled_at: int | None
    waits: int | None
    runs: int | None

    @property
    def state(self) -> str:
        return states.work_item_state(self, questions=self.waits or 0, running=bool(self.runs))

    @property
    def is_done(self) -> bool:
        return self.released_at is not None or self.closed_at is not None


_FACTS = ("accepted_at", "released_at", "closed_at", "failed_at", "cancelled_at")


def _spellings(reader: Connection, tag: str) -> tuple[str, ...]:
    """The tag as work items carry it: the rules heed no case, and SQL knows that of ASCII letters only."""
    lists = reader.rows(WorkItem.select(WorkItem.tags).distinct())
    found = {each for (tags,) in lists for each in json.loads(tags) if each.casefold() == tag.casefold()}
    return tuple(sorted({tag, *found}))


def _is_tagged(spellings: Sequence[str]) -> Any:
    """Whether the list of tags, which is kept as JSON, has one of these, to the letter, on every database."""
    rest: Any = WorkItem.tags
    for tag in spellings:
        rest = fn.REPLACE(rest, canonical_json(tag), "")
    return rest != WorkItem.tags


def _waits() -> Any:
    held = reads.is_open() & (Escalation.blocks != "") & Escalation.work_item.is_null(False)
    return WorkItem.id.in_(Escalation.select(Escalation.work_item).where(held))


def _runs(live: rows.LiveRow) -> Any:
    return WorkItem.id.in_(list(live.work_items))


def milestone(reader: Connection, now: int, live: rows.LiveRow, *, tag: str, title: str) -> Section:
    """The work items with the milestone's tag, what holds them up, then the rest of the work in a line or two."""
    spellings = _spellings(reader, tag)
    stands = _stands(reader, live, spellings)
    own = [s for s in stands if s.is_tagged and s.state != "cancelled"]
    lines = [*_other_work([s for s in stands if not s.is_tagged]), *_ended(reader, now)]
    none = f"No work item carries the tag {tag}"
    away = archived_work.archived(reader, lambda tags: tag.casefold() in map(str.casefold, tags))
    if own or away["kept"]:
        lines = [_tally(own, away), *_unfinished(reader, live, spellings, own), *lines]
    elif lines:
        lines = [Item(f"{none}."), *lines]
    return section("milestone", f"{one_line(title, 100)} progress", lines, f"{none}, and no other work is under way.")


def _stands(reader: Connection, live: rows.LiveRow, spellings: Sequence[str]) -> tuple[_Stand, ...]:
    facts = [getattr(WorkItem, name).is_null(False).alias(name) for name in _FACTS]
    each = WorkItem.select(
        _is_tagged(spellings).alias("tagged"), *facts, _waits().alias("waits"), _runs(live).alias("runs")
    ).alias("found")
    columns = [getattr(each.c, name) for name in ("tagged", *_FACTS, "waits", "runs")]
    found = reader.rows(Select([each], [fn.COUNT(SQL("1")), *columns]).group_by(*columns))
    return tuple(_Stand(number, *(fact or None for fact in facts)) for number, *facts in found)


def _tally(own: Collection[_Stand], away: Mapping[str, int]) -> Item:
    """`away` are the counts of those in archives."""
    done = sum(s.number for s in own if s.is_done) + away["done"]
    total = sum(s.number for s in own) + away["kept"]
    rest = _in_words(s for s in own if not s.is_done)
    return Item(f"{done:,} of {total:,} released or closed" + (f"; now {rest}" if rest else ""))


def _in_words(stands: Iterable[_Stand]) -> str:
    """`2 running, 1 waiting`: how many are in which state, in the order in which work passes them."""
    counts: Counter[str] = Counter()
    for stand in stands:
        counts[stand.state] += stand.number
    order = ("running", "waiting", "ready", "proposed", "failed", "released", "closed")
    return ", ".join(f"{counts[state]:,} {state}" for state in order if counts[state])


def _unfinished(
    reader: Connection, live: rows.LiveRow, spellings: Sequence[str], own: Collection[_Stand]
) -> Iterator[Item]:
    """Those of the milestone that are not done: failed and held up ones first."""
    undone = WorkItem.released_at.is_null() & WorkItem.closed_at.is_null() & WorkItem.cancelled_at.is_null()
    first = (WorkItem.failed_at.is_null(), ~_waits(), ~_runs(live), WorkItem.accepted_at.is_null(), WorkItem.id)
    query = WorkItem.select(WorkItem.id).where(_is_tagged(spellings) & undone).order_by(*first).limit(MOST_WORK_ITEMS)
    ids = [int(row[0]) for row in reader.rows(query)]
    asked = reads.holding(reader, ids)
    items = {item.id: item for item in reads.work_items(reader, among=ids, limit=len(ids), live=live)}
    for number in ids:
        holding = [question.id for question in asked.get(number, ())]
        refs = {"work_item": number, **({"escalation": holding[0]} if holding else {})}
        yield Item(f"{number} {one_line(items[number].title, TITLE)}: {_standing(items[number], holding)}", refs)
    yield from more(len(ids), sum(s.number for s in own if not s.is_done), LIST)


def _standing(item: rows.WorkItemRow, holding: list[int]) -> str:
    word = "paused" if item.facts.paused_at is not None and item.state == "ready" else item.state
    phase = f" in {item.phase}" if item.phase else ""
    if item.state == "proposed":
        return "proposed, not accepted yet"
    if not holding:
        return f"{word}{phase}"
    named = ", ".join(f"#{number}" for number in holding[:MOST_HOLDING])
    beyond = f" and {len(holding) - MOST_HOLDING} more" if len(holding) > MOST_HOLDING else ""
    return f"{word}{phase}, held up by {named}{beyond}"


def _other_work(stands: Collection[_Stand]) -> Iterator[Item]:
    going = [s for s in stands if not s.is_done and s.state not in ("cancelled", "failed")]
    if going:
        yield Item(f"Other work now: {_in_words(going)}")


_ENDS = (("released_at", "released"), ("failed_at", "failed"), ("cancelled_at", "cancelled"))


def _ended(reader: Connection, now: int) -> Iterator[Item]:
    """What came to its end in the last 24 h, the milestone's and other work alike."""
    parts = [part for column, word in _ENDS if (part := _ended_as(reader, column, word, now))]
    if parts:
        yield Item(f"All work in 24 h: {'; '.join(parts)}")


def _ended_as(reader: Connection, column: str, word: str, now: int) -> str:
    text, window = f"FROM work_items WHERE {column} > ? AND {column} <= ?", (now - DAY_MS, now)
    number = int(reader.sql(f"SELECT COUNT(*) {text}", window)[0][0])
    if not number:
        return ""
    newest = reader.sql(f"SELECT id, title {text} ORDER BY {column} DESC, id DESC LIMIT {MOST_NAMED}", window)
    named = ", ".join(f"{found} {one_line(title, TITLE)}" for found, title in newest)
    return f"{number:,} {word} ({named}{', …' if number > MOST_NAMED else ''})"


@dataclass(slots=True)
class _Sums:
    """What a team's agents did. `today` is since midnight, UTC: costs are kept by day."""

    running: int = 0
    today: int = 0
    failed_today: int = 0
    cost_today: float = 0.0
    unpriced_today: int = 0
    """Tokens of agents none of whose calls has a price that is known."""
    day: int = 0
    failed_day: int = 0
    decided: int = 0
    escalated: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.running or self.has_worked or self.decided or self.escalated)

    @property
    def has_worked(self) -> bool:
        """Also who was paid for and has not answered yet."""
        return bool(self.today or self.day or self.cost_today or self.unpriced_today)


def teams(reader: Connection, now: int, live: rows.LiveRow) -> Section:
    """Per phase, and for each domain agent: what runs now, what was done today and in 24 h, what was decided."""
    team_of = {row[0]: _team(*row) for row in reader.sql("SELECT role, agent_type, phase FROM agents")}
    sums = {name: _Sums() for name in (*PHASE_CODES, *DOMAIN_AGENTS, OTHERS)}
    for delegation in live.delegations:
        sums[team_of.get(str(delegation["agent"]), OTHERS)].running += 1
    for agent, counter in reads.counters(reader, day=now // DAY_MS).items():
        found = sums[team_of.get(agent, OTHERS)]
        found.today += counter.runs
        found.failed_today += counter.failures
        found.cost_today += counter.cost
        found.unpriced_today += 0 if counter.cost else counter.tokens
    for agent, number, failed in _delegations(reader, now):
        found = sums[team_of.get(agent, OTHERS)]
        found.day += number
        found.failed_day += failed
    for agent, outcome, number in _decisions(reader, now):
        if agent in DOMAIN_AGENTS:
            setattr(sums[agent], outcome, number)
    return section("teams", "Agent teams", [*_team_lines(sums), *_day_budget(reader, now)])


def _team(role: str, agent_type: str, phase: str | None) -> str:
    if phase in PHASE_BY_CODE:
        return str(phase)
    return role if agent_type == "domain" and role in DOMAIN_AGENTS else OTHERS


_BEFORE = "SELECT COALESCE(MAX(id), 0) FROM (SELECT id FROM {table} WHERE at <= ? ORDER BY id DESC LIMIT 1) AS found"
"""A row that is older than the window, so that only younger ones are looked at. A day more than the window is taken,
which lets the clock have been put back by that much meanwhile."""


def _delegations(reader: Connection, now: int) -> list[tuple[str, int, int]]:
    """Agent, delegations and failures of the last 24 h."""
    text = """SELECT agent, COUNT(*), SUM(CASE WHEN status = 'FAILURE' THEN 1 ELSE 0 END) FROM delegations
        WHERE id > ? AND at > ? AND at <= ? GROUP BY agent"""
    return [(a, int(n), int(f)) for a, n, f in reader.sql(text, _window(reader, "delegations", now))]


def _decisions(reader: Connection, now: int) -> list[tuple[str, str, int]]:
    """Agent, outcome and number of the last 24 h's decisions, without those that took another back."""
    text = """SELECT agent, outcome, COUNT(*) FROM decisions
        WHERE id > ? AND at > ? AND at <= ? AND reverses IS NULL AND outcome IN ('decided', 'escalated')
        GROUP BY agent, outcome"""
    return [(a, o, int(n)) for a, o, n in reader.sql(text, _window(reader, "decisions", now))]


def _window(reader: Connection, table: str, now: int) -> tuple[int, int, int]:
    """The row before the window, its beginning and its end: rows of a clock that was ahead say nothing of now."""
    return int(reader.sql(_BEFORE.format(table=table), (now - 2 * DAY_MS,))[0][0]), now - DAY_MS, now


def _team_lines(sums: Mapping[str, _Sums]) -> Iterator[Item]:
    for name, found in sums.items():
        if found.is_empty:
            continue
        parts = [f"{found.running} running now"] if found.running else []
        if found.decided or found.escalated:
            parts.append(f"{found.decided:,} decided by itself, {found.escalated:,} escalated in 24 h")
        if found.has_worked:
            today = f"{counted(found.today, 'delegation')} today (UTC){_failed(found.failed_today)}"
            parts.append(f"{today}{_paid(found)}; {found.day:,} in 24 h{_failed(found.failed_day)}")
        yield Item(f"{_named(name)}: {'; '.join(parts)}", {"agent": name} if name in DOMAIN_AGENTS else {})


def _failed(number: int) -> str:
    return f", {number:,} failed" if number else ""


def _paid(found: _Sums) -> str:
    """What no price is known of is told in tokens: it is not nothing."""
    paid = f", {amount('dollars', found.cost_today)}" if found.cost_today else ""
    unpriced = f", {amount('tokens', found.unpriced_today)} without a price" if found.unpriced_today else ""
    return paid + unpriced


def _day_budget(reader: Connection, now: int) -> Iterator[Item]:
    """What models have cost today, of what they may; nothing where none was called. What calls that run have reserved
    is not used yet."""
    [day] = standings(reader, NOBODY, now, ("day",))
    used, limit = day.used, day.limit
    if not used.calls:
        return
    parts = []
    sums = (("dollars", used.settled_dollars, limit.dollars), ("tokens", used.settled_tokens, limit.tokens))
    for unit, spent, most in sums:
        share = f" of {amount(unit, most)} ({int(100 * spent / most) if most else 100} %)" if most is not None else ""
        parts.append(f"{amount(unit, spent)}{share}")
    unpriced = f"; {counted(used.unpriced, 'call')} without a price" if used.unpriced else ""
    lost = f"; {counted(used.lost, 'call')} ended unseen" if used.lost else ""
    nobody = "" if limit.amounts != (None, None) else "; no budget limits the day"
    yield Item(f"Models today (UTC): {', '.join(parts)} in {counted(used.calls, 'call')}{unpriced}{lost}{nobody}")


def _named(team: str) -> str:
    phase = PHASE_BY_CODE.get(team)
    return f"{team} {phase.title}" if phase else {OTHERS: "Other agents"}.get(team, team)
