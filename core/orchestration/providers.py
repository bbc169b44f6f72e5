"""Which providers of models take calls, as far as this engine has seen: people are told when that changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.governance.providers import is_back, provider_question, raise_once, reason
from core.orchestration.lease import HeldStore
from core.runtimes.base import Unavailable


@dataclass
class Providers:
    """By provider, why it takes no calls, or None if it took the last; one that was not called yet is absent."""

    store: HeldStore
    _told: dict[str, str | None] = field(default_factory=dict)

    async def failed(self, down: Unavailable) -> None:
        """One question for an outage, however many wait for it and however often it is tried again; it says anew why,
        where that has become another."""
        if self._told.get(down.provider) != (why := reason(down.why)):
            question = provider_question(down)
            await self.store.write(lambda tx: raise_once(tx, question))
            self._told[down.provider] = why

    async def answered(self, provider: str) -> None:
        if self._told.get(provider, "") is not None:
            await self.store.write(lambda tx: is_back(tx, provider))
            self._told[provider] = None
