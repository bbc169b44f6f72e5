"""A workspace with three weeks of people's answers: what was earned, what was not, and what people said to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.contract import Json
from core.governance import authority, escalations, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice, make_decision
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.governance.scope.review import review
from core.governance.scope.wishes import wish
from core.governance.team import import_catalog
from core.registry.catalog import default_path, load
from core.registry.generation.recording import record
from core.registry.generation.service import generate
from core.registry.generation.subjects import subjects
from core.registry.importing import read_memory
from core.store import reads
from core.store.reads import Connection
from core.store.schema import Answer
from core.store.transaction import Transaction
from tests.app.seeding import HOUR, MINUTE, SeededWorkspace, seed_counter, seed_project, seed_work_item
from tests.fresh import copied

DAY = 24 * HOUR
SERVICES = (
    "Mail through our own relay or through a provider?",
    "Keep exchange rates ourselves or ask a service for them?",
    "Which service turns addresses into coordinates?",
    "Send crash reports to a hosted service?",
    "Sign PDFs with a hosted key or with our own?",
)
ICONS = ("A gear or a wrench for settings?", "Which sign stands for exporting?", "A bell or a dot for news?")
YES: Json = {"key": "hosted", "label": "The hosted service", "consequence": "Done in an afternoon; a bill every month."}
NO: Json = {"key": "own", "label": "Our own", "consequence": "Two days of work; nobody else holds the data."}


def scoped(folder: Path) -> SeededWorkspace:
    """Proposals of every sort, two decided ones, a wish, and conflicts."""
    return SeededWorkspace(copied(_seed, folder))


def scoped_with_files(folder: Path) -> SeededWorkspace:
    """The same, and generated files that tell of the agents."""
    return SeededWorkspace(copied(_seed_with_files, folder))


def _seed_with_files(folder: Path) -> None:
    with_files(scoped(folder), "technical", "ux").close()


def _seed(folder: Path) -> None:
    made = team_only(folder)
    answer_many(made, "technical", "external_service", SERVICES, accepted=24, corrected=1, seconds=52)
    made.at(29 * DAY, lambda tx: authority.grant(tx, "ux", "icons", "escalate", by="ada", reason="to see them once"))
    answer_many(made, "ux", "icons", ICONS, accepted=22, corrected=0, seconds=38)
    made.at(29 * DAY, lambda tx: authority.grant(tx, "ux", "microcopy", "escalate", by="ada", reason="the same"))
    answer_many(made, "ux", "microcopy", ("Which words on the button?",), accepted=23, corrected=0, seconds=21)
    answer_many(made, "strategy", "target_market", ("Do we sell to schools?",), accepted=21, corrected=0)
    answer_many(made, "gtm", "launch_date", ("Before the fair or after it?",), accepted=9, corrected=3)
    _take_back(made)
    made.at(3 * DAY, lambda tx: review(tx, by=None))
    _say_something(made)
    _differ(made)
    _wish(made)
    made.at(2 * HOUR, lambda tx: review(tx, by=None))
    made.at(
        50 * MINUTE, lambda tx: propose(tx, "technical", "caching", "escalate", by="bob", reason="Two stale pages.")
    )
    made.close()


def team_only(folder: Path) -> SeededWorkspace:
    """The team that comes with apm, and nothing that it has done."""
    return SeededWorkspace(copied(_bring_in_the_team, folder))


def _bring_in_the_team(folder: Path) -> None:
    made = SeededWorkspace(folder)
    made.at(30 * DAY, lambda tx: import_catalog(tx, load(default_path())))
    made.close()


def with_files(made: SeededWorkspace, *roles: str) -> SeededWorkspace:
    """Files for Claude Code about these agents in the workspace's folder, as `apm agents generate` writes them."""

    def read(reader: Connection) -> Any:
        rows = reads.agents(reader)
        return subjects(rows, {a.role: authority.kinds(reader, a.role) for a in rows if a.agent_type == "domain"})

    reports = generate(made.store.read_now(read), made.folder, providers=["claude-code"], roles=roles)
    made.store.write_now(lambda tx: record(tx, *reports, home=made.folder))
    return made


def answer_many(
    made: SeededWorkspace,
    agent: str,
    kind: str,
    questions: Sequence[str],
    *,
    accepted: int,
    corrected: int,
    seconds: float | None = None,
) -> None:
    """So many questions over the last weeks, each answered two hours later; the corrected ones are the newest."""
    count = accepted + corrected
    for n in range(count):
        ago = 21 * DAY - n * (16 * DAY // count)
        text = f"{questions[n % len(questions)]} (case {n + 1})"
        made.at(ago, lambda tx, t=text: ask(tx, agent, kind, t))
        option = "hosted" if n < accepted else "own"
        made.at(ago - 2 * HOUR, lambda tx, o=option: answer_last(tx, o, seconds))


def ask(tx: Transaction, agent: str, kind: str, text: str) -> int | None:
    """The number of the question, where a person is asked."""
    return make_decision(tx, Choice(agent, kind, text, 5, (YES, NO), "hosted")).escalation


def answer_last(tx: Transaction, option: str = "hosted", seconds: float | None = None) -> int:
    [(number,)] = tx.sql("SELECT MAX(id) FROM escalations")
    made = escalations.resolve(tx, number, option=option, by="ada", reason="as we have always done it")
    tx.update(Answer, made, attention_seconds=seconds)
    tx.event("answer.measured")
    return int(number)


def _take_back(made: SeededWorkspace) -> None:
    """Of seven dependencies that technical chose itself a person took three back."""
    numbers = [made.at((9 - n) * DAY, lambda tx, n=n: make_decision(tx, _dependency(n))).decision for n in range(7)]
    for number in numbers[:3]:
        made.at(4 * DAY, lambda tx, d=number: reversal.reverse(tx, d, by="ada", reason="it pulls in a compiler"))


def _dependency(n: int) -> Choice:
    return Choice(
        "technical", "new_dependency", f"Which library reads spreadsheets? (case {n})", 5, (YES, NO), "hosted"
    )


def _say_something(made: SeededWorkspace) -> None:
    """A yes, a no, and a question to ask back, on the first review's proposals."""
    for row in made.store.read_now(_undecided):
        if row[1] == "microcopy":
            made.at(2 * DAY, lambda tx, n=row[0]: deciding.approve(tx, n, by="ada"))
        elif row[1] == "target_market":
            made.at(2 * DAY, lambda tx, n=row[0]: deciding.reject(tx, n, by="ada", reason="Not before the spring."))


def _undecided(reader: Connection) -> list[tuple[Any, ...]]:
    return reader.sql("SELECT id, kind FROM scope_proposals WHERE decided_at IS NULL ORDER BY id")


def _differ(made: SeededWorkspace) -> None:
    made.at(3 * DAY, lambda tx: seed_project(tx, "rowdown"))
    item = made.at(3 * DAY, lambda tx: seed_work_item(tx, "Show ten thousand rows", project=1))
    for ago, topic, ours, theirs, impact in DISPUTES:
        dispute = _dispute(item, topic, ours, theirs, impact)
        made.at(ago, lambda tx, d=dispute: _raise(tx, d))


DISPUTES = (
    (30 * HOUR, "performance of the long table", "Draw what is in sight", "Draw all, with a spinner", 4),
    (28 * HOUR, "user experience of the first start", "Ask for the folder", "Guess it, and say so", 4),
    (26 * HOUR, "where the table's settings live", "In the configuration file", "In a dialog", 5),
    (20 * MINUTE, "how a failed import is shown", "As a log", "As a card with a way out", 6),
)


def _dispute(item: int, topic: str, ours: str, theirs: str, impact: int) -> Dispute:
    positions = {"technical": ours, "ux": theirs}
    return Dispute(("technical", "ux"), topic, impact, positions=positions, work_item=item, phase="P1", blocks="I1")


def _raise(tx: Transaction, dispute: Dispute) -> None:
    raise_conflict(tx, dispute, ConflictRules.of_sections(read_memory(tx)["sections"]))


def _wish(made: SeededWorkspace) -> None:
    made.at(9 * HOUR, lambda tx: ask(tx, "gtm", "launch_date", "Launch on a Tuesday?"))

    def accept(tx: Transaction) -> None:
        wish(tx, answer_last(tx), by="ada")

    made.at(8 * HOUR, accept)
    made.at(7 * HOUR, _weekly)
    for role, runs, failures in (
        ("technical", 34, 1),
        ("ux", 25, 0),
        ("code-implementer", 41, 3),
        ("decomposer", 12, 0),
    ):
        made.at(HOUR, lambda tx, r=role, n=runs, f=failures: _count(tx, r, n, f))


def _weekly(tx: Transaction) -> None:
    options = (Option("yes", "Yes", "From the next release on."), Option("no", "No", "It stays as it is."))
    text = "Shall releases be named after rivers?"
    raise_question(tx, Question("scope", {"q": text}, text, "WEEKLY", options, "no", ("strategy",)))


def _count(tx: Transaction, role: str, runs: int, failures: int) -> None:
    seed_counter(tx, role, runs, failures=failures)
    tx.event("counted")
