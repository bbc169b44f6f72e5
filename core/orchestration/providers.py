"""Which providers of models take calls, as far as this engine has seen: people are told when that changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.governance.providers import is_back, provider_question, raise_once
from core.orchestration.lease import HeldStore
from core.runtimes.base import Unavailable


@dataclass
class Providers:
    """By provider, whether it took the last call; one that was not called yet is absent."""

    store: HeldStore
    _is_up: dict[str, bool] = field(default_factory=dict)

    async def failed(self, down: Unavailable) -> None:
        """One question for an outage, however many wait for it and however often it is tried again."""
        if self._is_up.get(down.provider) is not False:
            self._is_up[down.provider] = False
            question = provider_question(down)
            await self.store.write(lambda tx: raise_once(tx, question))

    async def answered(self, provider: str) -> None:
        if not self._is_up.get(provider):
            self._is_up[provider] = True
            await self.store.write(lambda tx: is_back(tx, provider))
