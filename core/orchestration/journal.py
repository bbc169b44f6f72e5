"""The journal of one work item: what was asked and answered, found again by key, recorded once.

A delegation's key is its work item, phase, round, agent and subject. A recorded one is never done again; an answer
of an earlier round serves again where the question is the same to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from core.contract import AgentRequest, AgentResponse, Json, Status, UsageError, Written, canonical_json
from core.governance.cohorts import keep_decider
from core.governance.decisions import DOMAIN_AGENTS
from core.sanitise import one_line, sanitise
from core.store.database import StoreError
from core.store.reads import Connection
from core.store.schema import Delegation, Intent
from core.store.schema import Evidence as EvidenceTable
from core.store.transaction import Transaction

DIGEST_CHARS = 32
"""Of the request's SHA-256: 128 bits tell any two requests of one work item apart."""

MOST_DECISIONS = 50
"""Of one answer. One that raises more is refused as a whole, so that none of them is passed over."""


class Key(NamedTuple):
    """What makes a delegation the same delegation."""

    phase: str
    round: int
    agent: str
    subject: str = ""


class Entry(NamedTuple):
    """A recorded delegation. `number` is its event: what evidence points at."""

    key: Key
    request_digest: str
    response: AgentResponse
    number: int


class Journal:
    """The entries of one work item, as recorded so far, and the outward acts that were begun."""

    def __init__(self, entries: Iterable[Entry], intended: Iterable[Key] = ()) -> None:
        self._by_key: dict[Key, Entry] = {}
        self._of_agent: dict[tuple[str, str, str], list[Entry]] = {}
        """By phase, agent and subject, each round's."""
        self.intended = set(intended)
        """What stands under `intents`: it may have been done, whether it is recorded or not."""
        for entry in entries:
            self.add(entry)

    def get(self, key: Key) -> Entry | None:
        return self._by_key.get(key)

    def same_question(self, key: Key, request_digest: str, *, after: int = 0) -> Entry | None:
        """A SUCCESS of an earlier round, later than the round `after`, to exactly this request; the newest."""
        found = [
            e
            for e in self._of_agent.get((key.phase, key.agent, key.subject), ())
            if e.key.round > after and e.request_digest == request_digest and e.response.status is Status.SUCCESS
        ]
        return max(found, key=lambda e: e.key.round, default=None)

    def add(self, entry: Entry) -> None:
        key = entry.key
        others = self._of_agent.get((key.phase, key.agent, key.subject), ())
        self._of_agent[key.phase, key.agent, key.subject] = [*(e for e in others if e.key != key), entry]
        self._by_key[key] = entry

    def by_number(self) -> dict[int, Entry]:
        return {e.number: e for e in self._by_key.values()}

    def of_phase(self, phase: str) -> tuple[Entry, ...]:
        return tuple(e for k, e in self._by_key.items() if k.phase == phase)

    def all(self) -> tuple[Entry, ...]:
        return tuple(self._by_key.values())


_RECORDED_SQL = """SELECT "phase", "round", "agent", "subject", "request_digest", "event"
    FROM "delegations" WHERE "work_item" = ? ORDER BY "event" """
_PAYLOAD_SQL = 'SELECT "payload" FROM "events" WHERE "seq" = ?'
_INTENDED_SQL = 'SELECT "phase", "round", "agent", "subject" FROM "intents" WHERE "work_item" = ?'


def read_journal(reader: Connection, work_item: int, known: Journal | None = None) -> Journal:
    """Everything on record for the work item. Of answers that are in `known` the text is not read again."""
    had = {} if known is None else known.by_number()

    def entry(phase: str, round_: int, agent: str, subject: str, digest: str, number: int) -> Entry:
        response = _response(work_item, number, reader.sql(_PAYLOAD_SQL, (number,)))
        return Entry(Key(phase, round_, agent, subject), digest, response, number)

    return Journal(
        tuple(had.get(row[-1]) or entry(*row) for row in reader.sql(_RECORDED_SQL, (work_item,))),
        (Key(*row) for row in reader.sql(_INTENDED_SQL, (work_item,))),
    )


def _response(work_item: int, seq: int, found: list[tuple[Any, ...]]) -> AgentResponse:
    """The recorded answer. Raises StoreError where its event is gone: asking again would do the work a second time."""
    if not found:
        raise StoreError(
            f"Event {seq} is gone from the journal, and with it an answer that work item {work_item} has had. Nothing "
            "was changed: restore a backup; `apm audit verify` tells what is missing."
        )
    return AgentResponse.from_json(json.loads(found[0][0])["response"])


def request_digest(request: AgentRequest) -> str:
    return request.digest[:DIGEST_CHARS]


def check_recordable(response: Any) -> None:
    """Raises UsageError for a response that the journal cannot hold, before it is too late to say whose fault it is."""
    if not isinstance(response, AgentResponse):
        raise UsageError(f"The answer is {type(response).__name__}, not an AgentResponse.")
    if not isinstance(response.metadata, Mapping):
        raise UsageError("The answer's metadata are not an object.")
    for key in ("evidence", "decisions"):
        given = response.metadata.get(key, ())
        if not isinstance(given, list | tuple) or not all(isinstance(entry, Mapping) for entry in given):
            raise UsageError(f"The answer's {key} are not a list of objects.")
    for command in response.metadata.get("evidence", ()):
        _check_evidence(command)
    if len(response.metadata.get("decisions", ())) > MOST_DECISIONS:
        raise UsageError(f"The answer raises more than {MOST_DECISIONS} decisions; it has to settle the small ones.")
    for key in ("tokens", "cost"):
        if not isinstance(response.metadata.get(key) or 0, int | float):
            raise UsageError(f"The answer's {key} are not a number.")


def _check_evidence(command: Mapping[str, Any]) -> None:
    """Raises UsageError where a field has not the type and size of its column."""
    if not isinstance(command.get("command", ()), list | tuple):
        raise UsageError("The command in the answer's evidence is not a list of words.")
    for name, most in _EVIDENCE_LIMITS.items():
        value = command.get(name)
        # No comparison holds of what is not a number (NaN).
        if value is not None and not (isinstance(value, int | float) and -most <= value <= most):
            raise UsageError(f"The {name} in the answer's evidence is no number from {-most} to {most}.")
    if isinstance(command.get("exit_code"), float):
        raise UsageError("The exit_code in the answer's evidence is not a whole number.")


_EVIDENCE_LIMITS = {"exit_code": 2**31, "seconds": 10**9, "started_at": 2**53}


def written(response: AgentResponse) -> Written:
    """The response as the journal holds it. Raises UsageError where it is no JSON."""
    try:
        text = canonical_json(response.to_json())
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"The answer is not JSON that can be kept: {error}.") from error
    return Written(text)


def record(
    tx: Transaction,
    work_item: int,
    key: Key,
    request: AgentRequest,
    response: AgentResponse,
    runtime: str,
    *,
    milliseconds: int,
    text: Written | None = None,
) -> Entry:
    """Record a delegation with its evidence, in one event and one commit.

    `runtime` is what executed it where the answer names none; `text` the answer as `written`, where that is at hand.
    """
    digest = request_digest(request)
    number = tx.next_seq
    executed_by = str(response.metadata.get("runtime", runtime))
    if key.agent in DOMAIN_AGENTS and response.status is Status.SUCCESS:
        keep_decider(tx, key.agent, executed_by, response.metadata.get("model"))
    delegation = tx.insert(
        Delegation,
        work_item=work_item,
        phase=key.phase,
        round=key.round,
        agent=key.agent,
        subject=key.subject,
        status=response.status.value,
        runtime=executed_by,
        request_digest=digest,
        at=tx.now,
        milliseconds=milliseconds,
        event=number,
    )
    for command in response.metadata.get("evidence", ()):
        record_evidence(tx, work_item, delegation, key.agent, command)
    answer = text or response.to_json()
    tx.event("delegation.recorded", work_item=work_item, request=shown_request(request), response=answer)
    # What it cost was counted call by call, when each was paid; a recording's figures were paid by somebody else.
    tx.count(key.agent, runs=1, failures=int(response.status is Status.FAILURE), milliseconds=milliseconds)
    return Entry(key, digest, response, number)


def intend(tx: Transaction, work_item: int, key: Key) -> None:
    """Write down that an outward act is about to happen, which was not intended before."""
    tx.insert(
        Intent,
        work_item=work_item,
        phase=key.phase,
        round=key.round,
        agent=key.agent,
        subject=key.subject,
        at=tx.now,
    )
    tx.event("delegation.intended", work_item=work_item, agent=key.agent, phase=key.phase)


HELD = frozenset(("results", "journal", "project", "work_item", "criteria", "risks", "proofs"))
"""Parts of a request's context that the journal has elsewhere."""


def shown_request(request: AgentRequest) -> Json:
    """The request without what the journal already holds: the artifact by digest, results by role; the work item, its
    criteria and its risks; and for a gate the proofs, which its verdict names."""
    context = {k: v for k, v in request.context.items() if k not in HELD}
    if "results" in request.context:
        context["results"] = sorted(request.context["results"])
    return {
        "requesting_agent": request.requesting_agent,
        "expected_output": request.expected_output,
        "context": context,
    }


def record_evidence(tx: Transaction, work_item: int, delegation: int | None, agent: str, command: Json) -> None:
    """Keep one command that was run; the caller writes the event that carries it."""
    tx.insert(
        EvidenceTable,
        work_item=work_item,
        delegation=delegation,
        agent=agent,
        command=canonical_json([sanitise(str(w), limit=2_000) for w in command.get("command", ())]),
        cwd=str(command.get("cwd", "")),
        exit_code=command.get("exit_code"),
        output_digest=str(command.get("output_digest", "")),
        output_tail=sanitise(str(command.get("output_tail", "")), limit=4_000),
        tool=str(command.get("tool", "")),
        tool_version=str(command.get("tool_version", "")),
        note=one_line(str(command.get("note", ""))),
        timed_out=bool(command.get("timed_out", False)),
        at=int(command.get("started_at") or tx.now),
        milliseconds=int(1000 * (command.get("seconds") or 0)),
    )
