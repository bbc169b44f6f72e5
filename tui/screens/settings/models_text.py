"""What the settings screen tells of models: which runtimes of theirs there are, what `auto` is, what may be spent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.contract import Json
from core.governance.budget_reads import NOBODY, Standing, rules_in_force, standings
from core.sanitise import one_line
from core.store.reads import Connection
from core.workspace import Workspace
from tui.text.amounts import budget_mark, dollars, of_limit, tokens
from tui.text.words import Line
from tui.widgets.document import BLANK, Paragraph, heading

NAMES = 20
EACH = {"delegation": "each delegation", "work_item": "each work item"}
WHOLE = {"day": "today (UTC)", "workspace": "the workspace"}
WHEN_REACHED = {
    "finish": "what runs then finishes its call",
    "cancel": "what runs then is ended",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`missing` says by runtime what keeps it from being used here, "" for nothing: names of variables, no values."""

    missing: Mapping[str, str] = field(default_factory=dict)
    auto: tuple[str, ...] = ()
    rules: Json = field(default_factory=dict)
    standings: tuple[Standing, ...] = ()


def read_models(reader: Connection, workspace: Workspace, now: int) -> ModelFacts:
    """On a store thread."""
    from core.orchestration.model_runtimes import missing
    from core.orchestration.runtimes import AUTO_MEANS

    found = missing(os.environ)
    if workspace.are_models_off:
        found = dict.fromkeys(found, "this workspace asks no models")
    return ModelFacts(found, AUTO_MEANS, rules_in_force(reader), standings(reader, NOBODY, now, tuple(WHOLE)))


def model_paragraphs(facts: ModelFacts) -> Iterator[Paragraph]:
    yield BLANK
    yield heading("Models")
    for name, why_not in facts.missing.items():
        state: Line = (("✓ ", "good"), (f"{name:<{NAMES - 2}}", "text"))
        if why_not:
            state = (("· ", "faint"), (f"{name:<{NAMES - 2}}", "dim"))
        yield Paragraph(state, NAMES, ((one_line(why_not) or "configured", "dim"),))
    yield from _auto(facts)
    yield from _budgets(facts)


def _auto(facts: ModelFacts) -> Iterator[Paragraph]:
    """What an agent on `auto` is executed by, here and in general."""
    here = next((name for name in facts.auto if not facts.missing.get(name, "?")), "")
    told = f"{here}, which is configured" if here else "its fallback: offline, or human for who writes code"
    order = f"{', then '.join(facts.auto)}, then its fallback"
    yield Paragraph((("  ", "text"), (f"{'auto':<{NAMES - 2}}", "strong")), NAMES, ((f"here {told}", "text"),))
    yield Paragraph(((" " * NAMES, "text"), (f"the first that is configured of {order}", "faint")), NAMES)


def _budgets(facts: ModelFacts) -> Iterator[Paragraph]:
    if not facts.rules and not any(s.used.calls for s in facts.standings):
        return
    yield BLANK
    yield heading("Budgets")
    for scope, name in EACH.items():
        cap = facts.rules.get(scope)
        limits = cap if isinstance(cap, Mapping) else {}
        yield _line(name, _most(limits.get("dollars"), limits.get("tokens")), (), "agents.yaml")
    for standing in facts.standings:
        yield _standing(standing, int(facts.rules.get("warn_at", 80)))
    ends = WHEN_REACHED.get(str(facts.rules.get("when_reached")), "")
    told = f"people are told at {facts.rules.get('warn_at', 80)} %; at 100 % the work item pauses and asks; {ends}"
    yield Paragraph(((told.rstrip("; "), "faint"),))
    set_by: Sequence[str] = ("apm budget set", " says more or less, ", "apm budget show", " tells all figures")
    yield Paragraph(tuple((text, "dim" if n % 2 else "text") for n, text in enumerate(set_by)))


def _most(paid: object, number: object) -> str:
    parts = [dollars(paid)] if isinstance(paid, int | float) else []
    parts += [f"{tokens(number)} tok"] if isinstance(number, int) else []
    return ", ".join(parts) or "no limit"


def _standing(found: Standing, warn_at: int) -> Paragraph:
    limit, used = found.limit, found.used
    pairs = (("dollars", used.dollars, limit.dollars), ("tokens", used.tokens, limit.tokens))
    told = ", ".join(of_limit(unit, amount, most) for unit, amount, most in pairs if most is not None)
    mark = budget_mark(found.percent, warn_at)
    state: Line = ((f"{mark.glyph} {mark.word}", mark.tone),) if mark else ()
    return _line(WHOLE[found.scope], told or f"{dollars(used.dollars)}, no limit", state, limit.by)


def _line(name: str, told: str, state: Line, by: str) -> Paragraph:
    amounts: Line = ((f"{told:<20}", "strong"), (f" set by {one_line(by, 60)}", "dim"))
    return Paragraph(((f"{name:<{NAMES}}", "text"),), NAMES, (*amounts, *((("  ", "text"), *state) if state else ())))
