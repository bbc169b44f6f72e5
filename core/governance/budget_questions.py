"""What is asked when a budget is used up, and what a person's answer allows."""

from __future__ import annotations

from peewee import fn

from core.contract import Json, UsageError
from core.governance.budgets import WHOSE, Amounts, amount
from core.governance.escalations import Option, Question, withdraw
from core.governance.persons import named_person, stated_in_a_line
from core.store import reads, reads_escalations, rows
from core.store.schema import Budget, Escalation
from core.store.transaction import MS_PER_DAY, Transaction

ALLOW, AMOUNT, UNCAPPED, STOP, AGAIN = "allow", "amount", "uncapped", "stop", "again"
UNITS = ("dollars", "tokens")
MOST = {"dollars": 1_000_000, "tokens": 10**12}
"""Of one budget, as in `agents.yaml`."""
SHARED = ("day", "workspace")
"""Scopes that several work items draw on: one answer serves all who ask about them."""


def budget_question(why: str, budget: Json, chain: tuple[str, ...], now: int | None = None) -> Question:
    """The question of a work item that a budget has stopped at `now`. `budget` is that of OverBudget.

    A day's budget is a new one at midnight: what nobody has answered by then goes on with that.
    """
    ends: Json = {}
    if budget["scope"] == "day" and now is not None:
        ends = {"expires_within_ms": MS_PER_DAY - now % MS_PER_DAY, "on_expiry": AGAIN}
    unit, whose = str(budget["unit"]), WHOSE[str(budget["scope"])]
    more = amount(unit, _raised(budget))
    until = " until midnight (UTC)" if budget["scope"] == "day" else ""
    key = {name: budget[name] for name in _key_names(str(budget["scope"]))}
    return Question(
        kind="budget",
        subject={"scope": budget["scope"], "unit": unit, **key},
        question=f"{why} Allow more?",
        urgency="DAILY",
        options=(
            Option(ALLOW, f"Allow up to {more}", f"{whose.capitalize()} budget is {more}{until}; the work goes on."),
            Option(
                AMOUNT,
                "Allow another amount",
                f"{whose.capitalize()} budget is what you give; what you leave empty stays as it is{until}.",
                {"limit": "numbers"},
                names={"limit": {name: _holds(name, budget["before"][name]) for name in UNITS}},
            ),
            Option(UNCAPPED, "Go on without a limit", f"{whose.capitalize()} budget has no limit{until}."),
            Option(STOP, "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
            *((_AT_MIDNIGHT,) if ends else ()),
        ),
        recommended=ALLOW,
        chain=chain,
        work_item=int(budget["work_item"]),
        phase=str(budget["phase"]),
        round=int(budget["round"]),
        blocks=str(budget["phase"]),
        details={"budget": budget},
        **ends,
    )


_AT_MIDNIGHT = Option(
    AGAIN, "Look again", "Nothing is allowed; the budget is looked at anew. At midnight (UTC) that happens by itself."
)


def _holds(unit: str, limit: float | None) -> str:
    return "no limit now" if limit is None else f"{amount(unit, limit)} now"


def _key_names(scope: str) -> tuple[str, ...]:
    return {"delegation": ("phase", "agent", "subject")}.get(scope, ())


def _raised(budget: Json) -> float:
    """As much again as was allowed, and in any case enough for the call that waits."""
    return max(2 * float(budget["limit"]), float(budget["spent"]) + float(budget["needed"]))


def settle_budget(tx: Transaction, row: rows.EscalationRow, option: str, *, by: str, reason: str) -> None:
    """Put in force what the answer allows. The caller's next event carries it. Raises UsageError for an amount that
    is none.

    What was merged into another question allows nothing by itself: in force is what stood on that one, and whatever
    needs more is asked anew. Of a day that is over nothing is allowed: the next has a budget of its own.
    """
    asked = row.details["budget"]
    if option in (STOP, AGAIN) or row.merged_into is not None or _is_of_a_day_gone(tx, row):
        return
    # Not as it was when this was asked: of the other unit another answer may have allowed more meanwhile.
    before = _said(tx, asked) or Amounts(**asked["before"])
    if option == UNCAPPED:
        allowed = Amounts(None, None)
    elif option == ALLOW:
        allowed = _with(before, {asked["unit"]: _raised(asked)})
    else:
        allowed = _given(tx, row, before)
    _put(tx, asked, allowed, by=by, reason=reason, escalation=row.id)


def _is_of_a_day_gone(tx: Transaction, row: rows.EscalationRow) -> bool:
    return row.details["budget"]["scope"] == "day" and row.expires_at is not None and row.expires_at <= tx.now


def about_the_same_budget(*asked: rows.EscalationRow) -> bool:
    """Whether one answer can be that of all these questions: what is allowed is the very amount that was shown."""
    first, *others = (_key(row.details["budget"]) | {"unit": row.details["budget"]["unit"]} for row in asked)
    return all(other == first for other in others)


def _given(tx: Transaction, row: rows.EscalationRow, before: Amounts) -> Amounts:
    answer = reads_escalations.answers(tx, row.id)[-1].answer
    return _with(before, checked_amounts(f"Escalation {row.id}", answer.get("limit", {})))


def checked_amounts(where: str, given: Json) -> dict[str, float]:
    """Raises UsageError unless there is an amount of dollars or tokens, each within its bounds, and nothing else."""
    unknown = sorted(set(given) - set(UNITS))
    if unknown or not given:
        raise UsageError(f"{where}: a budget is given in {' or '.join(UNITS)}, as in dollars 25; not in {unknown}.")
    wrong = next((unit for unit, value in given.items() if not 0 < value <= MOST[unit]), None)
    if wrong is not None:
        raise UsageError(
            f"{where}: {wrong} must be above 0 and at most {MOST[wrong]:,}; the answer `uncapped`, or `apm budget set` "
            "with --no-limit, takes the limit away."
        )
    return dict(given)


def _with(before: Amounts, given: dict[str, float]) -> Amounts:
    dollars, tokens = given.get("dollars", before.dollars), given.get("tokens", before.tokens)
    return Amounts(dollars, None if tokens is None else int(tokens))


def _put(tx: Transaction, of: Json, allowed: Amounts, *, by: str, reason: str, escalation: int | None = None) -> int:
    return tx.insert(
        Budget,
        **_key(of),
        cost=allowed.dollars,
        tokens=allowed.tokens,
        escalation=escalation,
        at=tx.now,
        by=by,
        reason=reason,
    )


def _said(tx: Transaction, of: Json, before: int | None = None) -> Amounts | None:
    """The newest word about this very budget (of a day, about today's), or the newest before that word's number."""
    mine = [getattr(Budget, name) == value for name, value in _key(of).items()]
    if of["scope"] == "day":
        mine.append(Budget.at >= tx.now - tx.now % MS_PER_DAY)
    if before is not None:
        mine.append(Budget.id < before)
    found = tx.one(Budget.select(Budget.cost, Budget.tokens).where(*mine).order_by(Budget.id.desc()).limit(1))
    return None if found is None else Amounts(*found)


def _key(of: Json) -> Json:
    """The columns that say whose budget it is, as an answer or a person's word holds for it."""
    scope = str(of["scope"])
    key: Json = {"scope": scope} if scope in SHARED else {"scope": scope, "work_item": of["work_item"]}
    return key | {name: of[name] for name in _key_names(scope)}


def unsettle_budget(tx: Transaction, row: rows.EscalationRow, *, by: str, reason: str) -> None:
    """What was allowed before the answer is allowed again; of a day that is over nothing is left to take back.

    Raises UsageError when a later word than that of the questions that are undone together has changed it.
    """
    asked = row.details["budget"]
    mine = (Budget.escalation == row.id) & (Budget.at == row.resolved_at)
    granted = tx.one(Budget.select(Budget.id, Budget.at).where(mine))
    if granted is None or (asked["scope"] == "day" and granted[1] // MS_PER_DAY != tx.now // MS_PER_DAY):
        return
    first = row.merged_into or row.id
    together = [first, *(merged.id for merged in reads_escalations.merged_into(tx, first))]
    by_others = Budget.escalation.is_null() | Budget.escalation.not_in(together)
    newer = Budget.select(Budget.id).where((Budget.id > granted[0]) & by_others)
    for name, value in _key(asked).items():
        newer = newer.where(getattr(Budget, name) == value)
    if tx.one(newer) is not None:
        raise UsageError(f"Escalation {row.id}: the budget was set anew since it was answered; `apm budget` shows it.")
    back = reason or f"escalation {row.id} undone"
    theirs = Budget.select(fn.MIN(Budget.id)).where(Budget.escalation.in_(together), Budget.at == granted[1])
    [(earliest,)] = tx.rows(theirs)
    before = _said(tx, asked, before=earliest) or Amounts(**asked["before"])
    _put(tx, asked, before, by=by, reason=back, escalation=row.id)


def release_others(tx: Transaction, row: rows.EscalationRow, option: str) -> None:
    """Withdraw what other work items asked about the budget that this answer has raised."""
    scope = row.details.get("budget", {}).get("scope")
    if row.kind == "budget" and option not in (STOP, AGAIN) and scope in SHARED:
        _release(tx, str(scope), f"escalation {row.id} raised {WHOSE[str(scope)]} budget")


def _release(tx: Transaction, scope: str, why: str, *, work_item: int | None = None) -> None:
    query = Escalation.select(Escalation.id).where((Escalation.kind == "budget") & reads.is_open())
    if work_item is not None:
        query = query.where(Escalation.work_item == work_item)
    for (number,) in tx.rows(query):
        found = reads.escalation(tx, int(number))
        if found is not None and found.details.get("budget", {}).get("scope") == scope:
            withdraw(tx, found.id, why=why)


def set_budget(
    tx: Transaction, scope: str, allowed: Amounts, *, by: str, reason: str, work_item: int | None = None
) -> int:
    """A person's word for a work item, for today or for the workspace; what waited for it goes on. Its number.

    Raises UsageError when the name is no person's, or the reason too long.
    """
    by, reason = named_person(tx, by), stated_in_a_line(reason)
    number = _put(tx, {"scope": scope, "work_item": work_item}, allowed, by=by, reason=reason)
    tx.event("budget.set", work_item=work_item, budget=number, scope=scope, by=by)
    _release(tx, scope, f"{by} set {WHOSE[scope]} budget", work_item=work_item)
    return number
