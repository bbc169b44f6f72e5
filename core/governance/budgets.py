"""What calls of models may cost: reserved before they are sent, settled after, and never above what a person allowed.

A limit comes from `agents.yaml` or from a person's word, and from nowhere else: no agent reaches this module. Every
call counts to four budgets at once: its delegation's, its work item's, the day's (UTC) and the workspace's. Calls side
by side cannot overshoot together, because each takes the most it can cost before it is sent, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from core.agents.session import Allowance, OverBudget, Reservation, Usage
from core.contract import Json
from core.store import spend_totals
from core.store.reads import Connection
from core.store.schema import Spend
from core.store.spend_totals import USED_SQL
from core.store.transaction import MS_PER_DAY, Transaction

SCOPES = ("delegation", "work_item", "day", "workspace")
"""From the narrowest; the first that has no room is the one that is told."""

WARN_AT = 80
"""Percent of a limit at which people are told, where `agents.yaml` says nothing else."""

WHOSE: Mapping[str, str] = {
    "delegation": "this delegation's",
    "work_item": "the work item's",
    "day": "today's",
    "workspace": "the workspace's",
}


class Spender(NamedTuple):
    """Whose call it is: a delegation by its key."""

    work_item: int
    phase: str
    round: int
    agent: str
    subject: str = ""


class Amounts(NamedTuple):
    """Dollars and tokens; as a limit, None is no limit."""

    dollars: float | None
    tokens: int | None


class Spent(NamedTuple):
    """What a scope has used. `dollars` and `tokens` include what is reserved, and what was lost at its most; of it
    `held_dollars` and `held_tokens` by calls that have not settled yet.

    `unpriced` calls are in `tokens` alone: no price of their model is known. `lost` calls ended unseen.
    """

    dollars: float
    tokens: int
    settled_dollars: float
    settled_tokens: int
    calls: int = 0
    unpriced: int = 0
    lost: int = 0
    held_dollars: float = 0.0
    held_tokens: int = 0


class Limit(NamedTuple):
    """What a scope may use, and who said so: a person's name, or "agents.yaml"."""

    scope: str
    dollars: float | None
    tokens: int | None
    by: str

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.dollars, self.tokens)


_SPENT_SQL = f"""
    SELECT {USED_SQL},
    COALESCE(SUM(CASE WHEN "settled_at" IS NULL THEN "reserved_cost" ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN "settled_at" IS NULL THEN "reserved_tokens" ELSE 0 END), 0)
    FROM "spend" WHERE {{where}}
"""

_OF_DAY = '"at" >= ? AND "at" < ?'
"""To its end as well: what was written by a clock that was ahead belongs to a day that is still to come."""

_WHERE: Mapping[str, str] = {
    "delegation": '"work_item" = ? AND "phase" = ? AND "round" = ? AND "agent" = ? AND "subject" = ?',
    "work_item": '"work_item" = ?',
    "day": _OF_DAY,
    "workspace": "1 = 1",
}
_SPENT = {scope: _SPENT_SQL.format(where=where) for scope, where in _WHERE.items()}


def spent(reader: Connection, scope: str, spender: Spender, now: int) -> Spent:
    """What the scope that the spender belongs to has used so far. Of what is in an archive the day and the workspace
    go on to count the totals; a work item there, and its delegations, need their budgets no more."""
    subject = _subject(scope, spender, now)
    found = Spent(*reader.sql(_SPENT[scope], subject)[0])
    if scope not in ("day", "workspace"):
        return found
    away = spend_totals.archived(reader, now // MS_PER_DAY if scope == "day" else None)
    return Spent(*(one + other for one, other in zip(found, away, strict=False)), *found[len(away) :])


def _subject(scope: str, spender: Spender, now: int) -> tuple[Any, ...]:
    if scope == "delegation":
        return (spender.work_item, spender.phase, spender.round, spender.agent, spender.subject)
    midnight = now - now % MS_PER_DAY
    return {"work_item": (spender.work_item,), "day": (midnight, midnight + MS_PER_DAY), "workspace": ()}[scope]


_LIMIT_SQL = """SELECT "cost", "tokens", "by" FROM "budgets"
    WHERE "scope" = '{scope}' AND {where} ORDER BY "id" DESC LIMIT 1"""
_LIMIT: Mapping[str, str] = {
    scope: _LIMIT_SQL.format(scope=scope, where=where)
    for scope, where in {
        "delegation": '"work_item" = ? AND "phase" = ? AND "agent" = ? AND "subject" = ?',
        "work_item": '"work_item" = ?',
        "day": _OF_DAY,
        "workspace": "1 = 1",
    }.items()
}


def limit_of(reader: Connection, scope: str, spender: Spender, now: int, rules: Json) -> Limit:
    """The limit in force: the newest word of a person for this very subject, or what `agents.yaml` says.

    `rules` is the section `defaults.budgets`: {scope: {"dollars", "tokens"}, "warn_at", "when_reached"}.
    """
    subject = _subject(scope, spender, now)
    # A person's word for a delegation holds in all of its rounds.
    said = reader.sql(_LIMIT[scope], (*subject[:2], *subject[3:]) if scope == "delegation" else subject)
    if said:
        return Limit(scope, *said[0])
    own = rules.get(scope) or {}
    return Limit(scope, own.get("dollars"), own.get("tokens"), "agents.yaml")


class _Standing(NamedTuple):
    """A scope that has a limit, and what is used of it."""

    limit: Limit
    used: Spent


def _standings(reader: Connection, spender: Spender, rules: Json, now: int) -> list[_Standing]:
    """From the narrowest scope; those without a limit are not summed up."""
    limits = (limit_of(reader, scope, spender, now, rules) for scope in SCOPES)
    return [_Standing(one, spent(reader, one.scope, spender, now)) for one in limits if one.amounts != (None, None)]


def reserve(
    tx: Transaction, spender: Spender, rules: Json, provider: str, model: str, tokens: int, dollars: float | None
) -> Reservation:
    """Take the most that a call can cost from every budget it counts to.

    Raises OverBudget, with nothing written, for the narrowest scope that has no room.
    """
    for standing in _standings(tx, spender, rules, tx.now):
        _check(standing.limit, standing.used, spender, tokens, dollars or 0.0)
    number = tx.insert(
        Spend,
        **spender._asdict(),
        provider=provider,
        model=model,
        reserved_cost=dollars or 0.0,
        reserved_tokens=tokens,
        at=tx.now,
    )
    tx.event("spend.reserved", work_item=spender.work_item, spend=number)
    return Reservation(number, tokens, dollars)


def _check(limit: Limit, used: Spent, spender: Spender, tokens: int, dollars: float) -> None:
    needs: tuple[tuple[str, float | None, float, float, float, float], ...] = (
        ("dollars", limit.dollars, used.dollars, used.settled_dollars, used.held_dollars, dollars),
        ("tokens", limit.tokens, used.tokens, used.settled_tokens, used.held_tokens, tokens),
    )
    for unit, most, taken, settled, held, needed in needs:
        if most is not None and taken + needed > most:
            whose = WHOSE[limit.scope]
            raise OverBudget(
                f"{whose[0].upper()}{whose[1:]} budget of {amount(unit, most)} has no room for the next call of "
                f"{spender.agent}: {_taken(unit, taken, settled)}, up to {amount(unit, needed)} needed.",
                {
                    "scope": limit.scope,
                    "unit": unit,
                    "limit": most,
                    "spent": taken,
                    "needed": needed,
                    "held": held if taken - held + needed <= most else 0,
                    "before": {"dollars": limit.dollars, "tokens": limit.tokens},
                    "by": limit.by,
                    **spender._asdict(),
                },
            )


def exhausted(reader: Connection, spender: Spender, rules: Json, now: int, found: Json) -> Json:
    """What a question about a used-up budget is made of; `found` is that of OverBudget.

    A runtime that counts for itself, against what was left when it began, knows the unit and its own cap only: the
    budget meant is the one with the least left, and as much again as the cap is what going on needs.
    """
    if "before" in found:
        return found
    unit = found["unit"]
    taken = {scope: getattr(spent(reader, scope, spender, now), unit) for scope in SCOPES}
    limits = [limit for scope in SCOPES if getattr(limit := limit_of(reader, scope, spender, now, rules), unit)]
    least = min(limits, key=lambda limit: getattr(limit, unit) - taken[limit.scope], default=None)
    limit = least or limit_of(reader, "delegation", spender, now, rules)
    return {
        "scope": limit.scope,
        "unit": unit,
        "limit": getattr(limit, unit) or taken[limit.scope],
        "spent": taken[limit.scope],
        "needed": max(found["limit"], found["needed"]),
        "before": {"dollars": limit.dollars, "tokens": limit.tokens},
        "by": limit.by,
        **spender._asdict(),
    }


def _taken(unit: str, taken: float, settled: float) -> str:
    """What was used, and apart from it what calls hold that run or ended unseen: a person sees the first elsewhere."""
    held = "" if taken - settled < 1e-9 else f" and {amount(unit, taken - settled)} held by calls that have not ended"
    return f"{amount(unit, settled)} used{held}"


def amount(unit: str, value: float) -> str:
    """`$1.20`, or `12,000 tokens`; less than a cent with as many digits as it takes."""
    if unit == "tokens":
        return f"{int(value):,} tokens"
    return f"${value:,.4f}" if 0 < value < 0.01 else f"${value:,.2f}"


def settle(
    tx: Transaction, spender: Spender, rules: Json, reservation: Reservation, usage: Usage, request_id: str = ""
) -> None:
    """The call has ended and used this much. What it reserved beyond that is free again."""
    tx.update(
        Spend,
        reservation.number,
        cost=usage.dollars,
        tokens=usage.tokens,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        request_id=request_id[:128],
        settled_at=tx.now,
    )
    tx.event("spend.settled", work_item=spender.work_item, spend=reservation.number)
    tx.count(spender.agent, tokens=usage.tokens, cost=usage.dollars or 0.0)
    [(begun,)] = tx.rows(Spend.select(Spend.at).where(Spend.id == reservation.number))
    touched = [
        standing
        for standing in _standings(tx, spender, rules, tx.now)
        # What was reserved before midnight is in the sum of that day.
        if standing.limit.scope != "day" or begun // MS_PER_DAY == tx.now // MS_PER_DAY
    ]
    for warning in _warnings(touched, spender, rules, usage):
        tx.event("budget.warned", work_item=spender.work_item, **warning)


def _warnings(standings: list[_Standing], spender: Spender, rules: Json, usage: Usage) -> Iterator[Json]:
    """The limits of which this call was the one to pass the share at which people are told."""
    share = rules.get("warn_at", WARN_AT) / 100
    for limit, used in standings:
        if limit.scope == "delegation":
            continue
        for unit, most, now, last in (
            ("dollars", limit.dollars, used.settled_dollars, usage.dollars or 0.0),
            ("tokens", limit.tokens, used.settled_tokens, usage.tokens),
        ):
            if most is not None and now - last < share * most <= now:
                facts = {"scope": limit.scope, "unit": unit, "limit": most, "spent": now}
                yield {**facts, "percent": int(100 * now / most), "item": spender.work_item}


def allowance(reader: Connection, spender: Spender, rules: Json, now: int) -> Allowance:
    """What is left for the spender under all budgets together."""
    standings = _standings(reader, spender, rules, now)
    dollars = [max(0.0, limit.dollars - used.dollars) for limit, used in standings if limit.dollars is not None]
    tokens = [max(0, limit.tokens - used.tokens) for limit, used in standings if limit.tokens is not None]
    return Allowance(min(tokens, default=None), min(dollars, default=None))


def lose_open(tx: Transaction) -> int:
    """Give up the reservations of a process that is gone: how their calls ended nobody saw. How many there were.

    They go on to count as what they reserved, so that a crash makes no room in any budget.
    """
    found = tx.rows(Spend.select(Spend.id).where(Spend.settled_at.is_null()))
    for (number,) in found:
        tx.update(Spend, number, is_lost=True, settled_at=tx.now)
    if found:
        tx.event("spend.lost", spends=[int(number) for (number,) in found])
    return len(found)
