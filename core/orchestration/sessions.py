"""The session of a delegation that the engine drives: its turns in the journal, its calls in the budgets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from core.agents.session import Allowance, OverBudget, Permission, Reservation, Turn, Usage
from core.contract import AgentResponse, Json
from core.governance import budgets
from core.governance.authority import in_force
from core.governance.budgets import Spender
from core.governance.decisions import Choice, DecisionRules, make_decision
from core.orchestration import turns
from core.orchestration.executions import Executions
from core.orchestration.lease import HeldStore
from core.orchestration.live import Shown
from core.orchestration.providers import Providers
from core.redaction import own_redactor
from core.registry.catalog import Catalog
from core.sanitise import one_line
from core.store.transaction import Transaction

PERMISSIONS = "technical"
"""The domain agent whose authority says what a running agent may do without a person."""

UNUSED = Usage()
"""Shared by all that have used nothing yet: most agents never do."""

PATIENCE = 60.0
"""Seconds for which a call waits for those beside it to settle, before a person is asked for a larger budget."""


@dataclass
class JournalSession:
    """One execution of the delegation `spender`, by the rules that the catalog held when it began."""

    store: HeldStore
    spender: Spender
    request_digest: str
    catalog: Catalog
    tags: tuple[str, ...]
    chain: tuple[str, ...]
    shown: Shown
    providers: Providers
    executions: Executions
    _asked: dict[int, str] = field(default_factory=dict)
    """By reservation, whom its call goes to."""
    _used: Usage = UNUSED

    @property
    def rules(self) -> Json:
        """The section `defaults.budgets`. Made when money is asked for: most agents cost none."""
        return self.catalog.defaults.budgets.model_dump(mode="json")

    @property
    def work_item(self) -> int:
        return self.spender.work_item

    @property
    def phase(self) -> str:
        return self.spender.phase

    @property
    def agent(self) -> str:
        return self.spender.agent

    @property
    def subject(self) -> str:
        return self.spender.subject

    async def turns(self) -> tuple[Turn, ...]:
        return await self.store.read(lambda r: turns.read(r, self.spender, self.request_digest))

    async def keep(self, kind: str, content: Json) -> Turn:
        return await self.store.write(lambda tx: turns.keep(tx, self.spender, self.request_digest, kind, content))

    async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
        """Calls reserve more than they use: what has no room until one beside it settles waits for that a while."""
        until = asyncio.get_running_loop().time() + PATIENCE
        while True:
            settled = self.executions.next_settled
            try:
                return await self._reserve_now(provider, model, tokens, dollars)
            except OverBudget as over:
                if not over.budget["held"]:
                    raise
                self.show("waits for a call beside it to end: both together may be too much for the budget")
                try:
                    async with asyncio.timeout_at(until):
                        await settled.wait()
                except TimeoutError:
                    raise over from None

    async def _reserve_now(self, provider: str, model: str, tokens: int, dollars: float | None) -> Reservation:
        def work(tx: Transaction) -> Reservation | OverBudget:
            try:
                return budgets.reserve(tx, self.spender, self.rules, provider, model, tokens, dollars)
            except OverBudget as error:
                # Refusing is no fault of the transaction, which others share.
                return error

        found = await self.store.write(work)
        if isinstance(found, OverBudget):
            raise found
        self._asked[found.number] = provider
        return found

    async def settle(self, reservation: Reservation, usage: Usage, request_id: str = "") -> None:
        await self.store.write(lambda tx: budgets.settle(tx, self.spender, self.rules, reservation, usage, request_id))
        self.executions.settled()
        self._used += usage
        self.shown.update(used=self._used)
        if usage.tokens:
            await self.providers.answered(self._asked[reservation.number])

    async def allowance(self) -> Allowance:
        now = self.store.store.clock()
        return await self.store.read(lambda r: budgets.allowance(r, self.spender, self.rules, now))

    async def exhausted(self, over: OverBudget) -> Json:
        """The budget that a person is to be asked about: a runtime that stops by a cap of its own does not know."""
        now = self.store.store.clock()
        return await self.store.read(lambda r: budgets.exhausted(r, self.spender, self.rules, now, over.budget))

    async def permit(self, kind: str, impact: int, what: str) -> Permission:
        rules = DecisionRules.of(self.catalog)
        choice = Choice(
            agent=PERMISSIONS,
            kind=kind,
            question=one_line(f"{self.agent}: {what}", 500),
            impact=impact,
            options=(
                {"key": "allow", "label": "Allow it", "consequence": "The agent does it."},
                {"key": "refuse", "label": "Refuse it", "consequence": "The agent is told no."},
            ),
            recommended="allow",
            tags=self.tags,
            work_item=self.work_item,
            phase=self.phase,
            chain=self.chain,
            context={"subject": self.subject} if self.subject else None,
        )

        def work(tx: Transaction) -> Permission:
            first, current = rules.met_by(choice), in_force(tx, PERMISSIONS, kind)
            if first is not None:
                return Permission(False, first[0])
            if current is None or current.mode != "autonomous":
                why = f"{kind} is for a human" if current else f"no list of {PERMISSIONS} names {kind}"
                return Permission(False, f"authority: {why}")
            # The same may have been decided before, and a person may have taken that back.
            outcome = make_decision(tx, choice, rules)
            return Permission(outcome.choice == "allow", outcome.rule)

        return await self.store.write(work)

    def show(self, line: str, usage: Usage | None = None) -> None:
        self.shown.update(one_line(line, 200), None if usage is None else self._used + usage)

    def cleaned(self, response: AgentResponse) -> AgentResponse:
        """The response as it may be kept: what a model had a hand in, without secrets."""
        if not self._asked:
            return response
        content = own_redactor().content
        return replace(response, output_artifact=content(response.output_artifact), metadata=content(response.metadata))
