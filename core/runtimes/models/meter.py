"""What one try of a model call has used so far: for the screen while it runs, for the budgets when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.agents.session import Session, Usage
from core.runtimes.models.prices import Price, cost

BYTES_PER_TOKEN = 3
"""Below what any tokenizer needs for prose, code or other scripts, so an estimate is rather too high."""

MOST_TOKENS = 100_000_000
"""Of one kind in one call; a hundred times what any model reads. What says more is no count."""

SHOWN_EVERY = 0.25
"""Seconds between two lines about a running call: an eye reads no more."""


def estimated_tokens(text: str) -> int:
    """How many tokens a text has at most, for what nobody has counted yet."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def counted(value: object, before: int) -> int:
    """A number of tokens as a server reports it; what stood there before where that is no such number."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return int(value) if is_count else before  # type: ignore[call-overload]


@dataclass
class Meter:
    """Counts of one try, as its provider reports them. `model` is who answers, `price` what that costs.

    A stream that breaks off has not said what it wrote: what arrived is counted then, since it is billed. A server
    that has begun to answer and reports nothing read is counted by the estimate `expected`: no report is no gift.
    """

    session: Session
    model: str
    price: Price | None
    clock: Callable[[], float] = time.monotonic
    expected: int = 0
    is_begun: bool = False
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
        is_told = self.input or self.cache_read or self.cache_write
        read = self.input if is_told or not (self.is_begun or written) else self.expected
        used = Usage(read, written, self.cache_read, self.cache_write)
        if used.tokens == 0:
            return Usage()
        kept_an_hour = min(self.kept_an_hour, self.cache_write)
        dollars = None if self.price is None else cost(self.price, used, kept_an_hour=kept_an_hour)
        return replace(used, dollars=dollars)

    def show(self) -> None:
        self._shown_at = self.clock()
        used = self.usage()
        read = used.input + used.cache_read + used.cache_write
        # What changes comes first: in a narrow place the end is cut off, and what it has used stands beside it.
        has_written = self._bytes or self.output_is_final
        now = f"{used.output:,} tokens written" if has_written else f"reads {read:,} tokens"
        self.session.show(f"{now} ({self.model})", used)
