"""What one try of a model call has used so far: for the screen while it runs, for the budgets when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from core.agents.session import Session, Usage
from core.runtimes.models.prices import Price, cost

BYTES_PER_TOKEN = 3
"""Below what any tokenizer needs for prose, code or other scripts, so an estimate is rather too high."""

SHOWN_EVERY = 0.25
"""Seconds between two lines about a running call: an eye reads no more."""


def estimated_tokens(text: str) -> int:
    """How many tokens a text has at most, for what nobody has counted yet."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


@dataclass
class Meter:
    """Counts of one try, as its provider reports them. `model` is who answers, `price` what that costs.

    A stream that breaks off has not said what it wrote: what arrived is counted then, since it is billed.
    """

    session: Session
    model: str
    price: Price | None
    clock: Callable[[], float] = time.monotonic
    request_id: str = ""
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    kept_an_hour: int = 0
    output: int = 0
    output_is_final: bool = False
    _bytes: int = 0
    _shown_at: float | None = None

    def received(self, text: str) -> None:
        """A piece of the answer has come."""
        self._bytes += len(text.encode("utf-8", "surrogatepass"))
        if self._shown_at is None or self.clock() - self._shown_at >= SHOWN_EVERY:
            self.show()

    def usage(self) -> Usage:
        written = self.output if self.output_is_final else max(self.output, -(-self._bytes // BYTES_PER_TOKEN))
        used = Usage(self.input, written, self.cache_read, self.cache_write)
        if used.tokens == 0:
            return Usage()
        dollars = None if self.price is None else cost(self.price, used, kept_an_hour=self.kept_an_hour)
        return Usage(self.input, written, self.cache_read, self.cache_write, dollars)

    def show(self) -> None:
        self._shown_at = self.clock()
        used = self.usage()
        read = used.input + used.cache_read + used.cache_write
        self.session.show(f"{self.model}: {read:,} tokens read, {used.output:,} written", used)
