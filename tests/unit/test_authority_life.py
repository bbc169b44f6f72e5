"""Authority over its whole life, in any order: imports, grants, answers, reversals, reviews and people's words."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.contract import UsageError
from core.governance import authority, escalations, life, reversal
from core.governance.cohorts import cohort_of
from core.governance.decisions import Choice, make_decision
from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.governance.scope.proposing import status
from core.governance.scope.records import read_record
from core.governance.scope.review import package, review
from core.governance.scope.wishes import TakenUp, wish
from core.governance.team import import_catalog
from core.registry.catalog import Catalog, default_path, load_sources
from core.registry.sources import Sources
from core.store.rows_governance import ScopeProposalRow
from core.store.transaction import Transaction
from tests.unit.scope_place import DAY, HOUR, KIND, OPTIONS, OWN, Place, opened

AGENT = "technical"
CEILING, UNKNOWN = "security", "naming_of_cats"
KINDS = (KIND, "architecture", OWN, CEILING, UNKNOWN)
WORD = "Stretch a kind so that it becomes yours"


@cache
def catalogs() -> tuple[Catalog, ...]:
    """The team as it comes with apm, and what an editor may make of it."""
    text = default_path().read_text(encoding="utf-8")
    lines = {key: next(re.finditer(rf"^ *- {{key: {key},.*\n", text, re.M))[0] for key in (KIND, OWN)}
    edits: tuple[Callable[[str], str], ...] = (
        lambda t: t,
        lambda t: t.replace(lines[KIND], lines[KIND].replace("}", ", ceiling: escalate}")),
        lambda t: t.replace(lines[KIND], lines[KIND].replace("}", ", reversible: false, ceiling: escalate}")),
        lambda t: t.replace(lines[KIND], ""),
        lambda t: t.replace(lines[OWN], ""),
        lambda t: t.replace(lines[OWN], "").replace(lines[KIND], lines[OWN] + lines[KIND]),
        lambda t: t.replace(WORD, WORD.upper()),
    )
    texts = [edit(text) for edit in edits]
    assert len(set(texts)) == len(texts)
    return tuple(load_sources(Sources(Path("agents.yaml"), t.encode())) for t in texts)


def naive_counts(tx: Any, cohort: str) -> dict[str, tuple[int, int]]:
    """Per kind what SPEC says counts, from the tables as they stand, row by row."""
    decisions = tx.sql(
        "SELECT kind, escalation, recommended, cohort, conflict, reverted_at FROM decisions WHERE outcome = 'escalated'"
    )
    questions = {
        number: rest for number, *rest in tx.sql("SELECT id, recommended, resolved_at, merged_into FROM escalations")
    }
    answers: dict[int, list[Any]] = {}
    for escalation, *rest in tx.sql(
        "SELECT escalation_id, option, answer, provenance, late, undone_at FROM answers ORDER BY id"
    ):
        answers.setdefault(escalation, []).append(rest)
    found: dict[str, tuple[int, int]] = {}
    for number, (shown, resolved_at, merged_into) in questions.items():
        asked = [d for d in decisions if d[1] == number]
        by_people = [a for a in answers.get(number, ()) if a[2] == "human" and not a[3]]
        in_force = [a for a in by_people if a[4] is None]
        if not asked or not in_force or resolved_at is None or merged_into is not None:
            continue
        if {d[3] for d in asked} != {cohort} or any(d[4] is not None for d in asked):
            continue
        option, values = in_force[-1][0], in_force[-1][1]
        as_recommended = all(d[2] is not None and d[2] == option == shown and d[5] is None for d in asked)
        given = [a[0] for a in by_people]
        lost = any(o == shown and any(p != shown for p in given[n:]) for n, o in enumerate(given))
        n, accepted = found.get(asked[0][0], (0, 0))
        found[asked[0][0]] = (n + 1, accepted + (as_recommended and values == "{}" and not lost))
    return found


def is_enough(n: int, accepted: int) -> bool:
    """Whether a true share of 0.80 is too low to have given so many: the score test itself, without its formula."""
    spread = 1.959963984540054 * (0.8 * 0.2 / max(n, 1)) ** 0.5
    return n >= 20 and accepted / n - 0.8 >= spread


class AuthorityLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.place: Place = opened(self.folder)
        self.model = 0
        self.earned: set[int] = set()
        """Proposals whose figures were right when a review put them."""

    def teardown(self) -> None:
        self.place.store.close()
        shutil.rmtree(self.folder)

    def tried(self, work: Callable[[Transaction], Any]) -> Any:
        """The result; None where it was refused in a sentence."""
        try:
            return self.place.write(work)
        except UsageError:
            return None

    def numbers(self, text: str) -> list[int]:
        return [number for (number,) in self.place.read(lambda r: r.sql(text))]

    def proposals(self) -> list[ScopeProposalRow]:
        return [self.place.proposal(n) for n in self.numbers("SELECT id FROM scope_proposals ORDER BY id")]

    @rule(version=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6]))
    def import_another_catalog(self, version: int) -> None:
        self.place.write(lambda tx: import_catalog(tx, catalogs()[version]))

    @rule(kind=st.sampled_from(KINDS), mode=st.sampled_from(["autonomous", "escalate"]))
    def grant(self, kind: str, mode: authority.Mode) -> None:
        self.tried(lambda tx: authority.grant(tx, AGENT, kind, mode, by="ada", reason="by hand"))

    @rule(kind=st.sampled_from(KINDS), impact=st.sampled_from([5, 8, 9]))
    def decide(self, kind: str, impact: int) -> None:
        allowed = self.place.mode(kind) == "autonomous" and impact <= 8

        made = self.place.decide(kind, impact=impact)

        assert (made.outcome == "decided") is allowed

    @rule(
        kind=st.sampled_from([KIND, *KINDS]),
        accepted=st.sampled_from([25, 24, 20, 19, 5]),
        declined=st.sampled_from([0, 1]),
        then=st.sampled_from(["approve", "review", "nothing"]),
    )
    def answer_many(self, kind: str, accepted: int, declined: int, then: str) -> None:
        first = len(self.numbers("SELECT id FROM decisions"))
        options = ["approve"] * accepted + ["reject"] * declined

        def write(tx: Transaction) -> None:
            for n, option in enumerate(options):
                made = make_decision(tx, Choice(AGENT, kind, f"question {first}.{n}?", 5, OPTIONS, "approve"))
                if made.escalation is not None:
                    escalations.resolve(tx, made.escalation, option=option, by="ada", reason="so")

        self.place.write(write)
        if then != "nothing":
            self.hold_a_review()
        for row in self.place.undecided() if then == "approve" else ():
            if row.kind == kind:
                self.approve(row)

    @rule(option=st.sampled_from(["approve", "reject"]), by_rule=st.booleans(), data=st.data())
    def answer(self, option: str, by_rule: bool, data: st.DataObject) -> None:
        waiting = self.numbers("SELECT id FROM escalations WHERE resolved_at IS NULL AND kind = 'decision'")
        if waiting:
            self.place.answer(data.draw(st.sampled_from(waiting)), option, provenance="rule" if by_rule else "human")

    @rule(data=st.data())
    def take_an_answer_back(self, data: st.DataObject) -> None:
        answered = self.numbers(
            "SELECT id FROM escalations WHERE resolved_at IS NOT NULL AND kind = 'decision' ORDER BY id DESC LIMIT 30"
        )
        if answered:
            number = data.draw(st.sampled_from(answered))
            self.tried(lambda tx: life.undo(tx, number, by="ada", reason="so"))

    @rule(option=st.sampled_from(["keep", "follow-file"]))
    def settle_what_the_file_contradicts(self, option: str) -> None:
        for number in self.numbers("SELECT id FROM escalations WHERE kind = 'scope' AND resolved_at IS NULL"):
            self.tried(lambda tx, n=number: escalations.resolve(tx, n, option=option, by="bob", reason="so"))  # type: ignore[misc]

    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        made = self.numbers("SELECT id FROM decisions ORDER BY id DESC LIMIT 30")
        if made:
            decision = data.draw(st.sampled_from(made))
            self.tried(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))

    @rule()
    def change_the_model(self) -> None:
        self.model += 1
        self.place.change_model(f"model-{self.model % 3}")

    @rule(by=st.sampled_from([HOUR, 8 * DAY, 29 * DAY]))
    def wait(self, by: int) -> None:
        self.place.wait(by)

    @rule()
    def look_back(self) -> None:
        self.hold_a_review()

    def hold_a_review(self) -> None:
        before = {row.id for row in self.proposals()}
        self.place.write(lambda tx: review(tx, by=None))
        counts = self.counts()
        for found in self.wishes_taken_up():
            assert found.proposal is not None or found.missing
        for row in self.proposals():
            if row.change == "expansion" and (row.id not in before or row.decided_at is None):
                assert (row.n, row.accepted) == counts.get(row.kind, (0, 0))
                assert self.place.mode(row.kind) != "autonomous"
                self.note_what_is_earned(row)

    def note_what_is_earned(self, row: ScopeProposalRow) -> None:
        """Only a person asks for what is not, and is told."""
        if is_enough(row.n, row.accepted):
            self.earned.add(row.id)
        else:
            assert row.analysis["asked_for"]["by"] == "bob"
            assert row.recommendation == "reject"

    def wishes_taken_up(self) -> tuple[TakenUp, ...]:
        found = self.place.read(package)
        assert found is not None
        return found.wishes

    @rule(kind=st.sampled_from(KINDS), to=st.sampled_from(["autonomous", "escalate"]))
    def ask_for(self, kind: str, to: authority.Mode) -> None:
        before, counts = self.place.mode(kind), self.counts()

        number = self.tried(lambda tx: propose(tx, AGENT, kind, to, by="bob", reason="we would like it"))

        assert self.place.mode(kind) == before
        if number is not None and to == "autonomous":
            row = self.place.proposal(number)
            assert (row.n, row.accepted) == counts.get(kind, (0, 0))
            self.note_what_is_earned(row)

    @rule(data=st.data())
    def wish_for_a_rule(self, data: st.DataObject) -> None:
        if asked := self.numbers("SELECT id FROM escalations WHERE kind = 'decision' ORDER BY id DESC LIMIT 30"):
            number = data.draw(st.sampled_from(asked))
            self.tried(lambda tx: wish(tx, number, by="ada"))

    @rule(data=st.data(), word=st.sampled_from([deciding.reject, deciding.clarify, deciding.undo]))
    def decide_a_proposal(self, data: st.DataObject, word: Callable[..., Any]) -> None:
        if rows := self.proposals():
            number = data.draw(st.sampled_from(rows)).id
            self.tried(lambda tx: word(tx, number, by="ada", reason="so"))

    @precondition(lambda self: self.place.undecided())
    @rule(data=st.data())
    def approve_a_proposal(self, data: st.DataObject) -> None:
        self.approve(data.draw(st.sampled_from(self.place.undecided())))

    @precondition(lambda self: self.place.undecided())
    @rule(data=st.data())
    def approve_one_by_mistake(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.place.undecided()))
        before = self.place.read(lambda r: authority.kinds(r, AGENT))
        if self.tried(lambda tx: deciding.approve(tx, row.id, by="ada", reason="so")) is None:
            return

        self.place.write(lambda tx: deciding.put_back(tx, row, self.place.proposal(row.id), by="ada"))

        assert self.place.proposal(row.id) == row
        assert self.place.read(lambda r: authority.kinds(r, AGENT)) == before

    def approve(self, row: ScopeProposalRow) -> None:
        counts = self.counts()

        done = self.tried(lambda tx: deciding.approve(tx, row.id, by="ada", reason="so"))

        if done is not None and row.change == "expansion":
            assert row.id in self.earned
            assert is_enough(*counts[row.kind])
            assert self.place.mode(row.kind) == "autonomous"
        if done is not None and row.change == "contraction":
            assert self.place.mode(row.kind) == "escalate"

    def counts(self) -> dict[str, tuple[int, int]]:
        return self.place.read(lambda r: naive_counts(r, cohort_of(r, AGENT)))

    @invariant()
    def no_kind_is_ever_both(self) -> None:
        listed = self.place.read(lambda r: authority.kinds(r, AGENT))
        assert len({kind.key for kind in listed}) == len(listed)
        for kind in listed:
            assert kind.mode in ("autonomous", "escalate")
            assert kind.mode == (self.place.mode(kind.key) or "escalate")

    @invariant()
    def nothing_above_a_ceiling_is_ever_autonomous(self) -> None:
        listed = {kind.key: kind for kind in self.place.read(lambda r: authority.kinds(r, AGENT))}
        for key in {*listed, *KINDS}:
            kind = listed.get(key)
            if kind is None or kind.ceiling is not None or not kind.reversible:
                assert self.place.mode(key) != "autonomous"
                assert kind is None or kind.mode == "escalate"

    @invariant()
    def a_record_counts_only_what_it_may(self) -> None:
        counts, cohort = self.counts(), self.place.read(lambda r: cohort_of(r, AGENT))
        for kind in KINDS:
            record = self.place.read(lambda r, k=kind: read_record(r, AGENT, k, cohort))  # type: ignore[misc]
            assert (record.n, len(record.accepted)) == counts.get(kind, (0, 0))

    @invariant()
    def there_is_one_undecided_proposal_of_a_change_at_most(self) -> None:
        keys = [(row.agent, row.kind, row.change) for row in self.place.undecided()]
        assert len(set(keys)) == len(keys)
        assert {status(row) for row in self.place.undecided()} <= {"proposed", "clarify"}


AuthorityLife.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAuthorityLife = AuthorityLife.TestCase
