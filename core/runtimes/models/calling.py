"""One call to a provider, whichever it is: budget, tries, waits, breaker. What is sent is the provider's own module.

Nothing below retries, so no failure is tried nine times: the SDKs are told to try once.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import count
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from core.agents.session import Reservation, Session, Usage
from core.contract import Json
from core.redaction import Redactor, secrets_of
from core.runtimes.models.breaker import Admission, Breaker
from core.runtimes.models.dialogue import ModelFailed, Reply, presentable
from core.runtimes.models.endpoints import Endpoint
from core.runtimes.models.meter import Meter
from core.runtimes.models.prices import Price, most, price_of
from core.sanitise import one_line

T = TypeVar("T")

LONGEST_SENTENCE = 300


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently. Seconds throughout.

    `patience` is the longest wait that a provider may ask for before its breaker opens; `silence` the longest time
    without a byte, which a local server needs to read a long prompt.
    """

    tries: int = 3
    first_wait: float = 0.5
    longest_wait: float = 8.0
    patience: float = 60.0
    silence: float = 300.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random

    def wait(self, number: int, asked: float | None) -> float:
        """Seconds after the try `number`: longer each time, by up to a quarter of chance, never less than asked."""
        backoff = min(self.first_wait * 2.0 ** (number - 1), self.longest_wait)
        return float(max(backoff * (1 + self.chance() / 4), asked or 0.0))


class Kind(StrEnum):
    """What a failed try says."""

    PASSING = "passing"
    """The provider may answer later: another try, and in the end its breaker opens."""
    BROKEN = "broken"
    """An answer came and was not whole: another try, and in the end this call has failed."""
    SHUT = "shut"
    """The provider takes no calls from us: its breaker opens at once."""
    WRONG = "wrong"
    """The request cannot be answered, however often it is sent."""


class Fault(Exception):
    """A try that failed. `why` is a clause that may be shown; `asked` are seconds that the provider wants to rest."""

    def __init__(self, kind: Kind, why: str, asked: float | None = None) -> None:
        super().__init__(why)
        self.kind, self.why, self.asked = kind, why, asked


def asked_rest(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer's headers ask to wait before the next try, or None."""
    given = headers.get("retry-after", "")
    found = (_seconds(headers.get("retry-after-ms", ""), 1000), _seconds(given), _until(given))
    return next((seconds for seconds in found if seconds is not None), None)


def _seconds(given: str, parts: int = 1) -> float | None:
    """Of a number of so many parts of a second."""
    try:
        value = float(given) / parts
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


_SHUT = {
    401: "it refuses the key",
    402: "its quota is used up",
    403: "it refuses the key's permissions",
}
_PASSING = {408, 409, 425, 429}
_QUOTA_GONE = ("billing_error", "insufficient_quota", "credit balance is too low", "exceeded your current quota")


def fault_of_status(status: int, said: str, asked: float | None = None, type_: str = "") -> Fault:
    """What an answer with an error status means. `said` is the provider's own sentence, `type_` its word for it."""
    why = f"{said.rstrip('.') or 'it gave no reason'} (status {status})"
    if any(words in f"{type_} {said}".lower() for words in _QUOTA_GONE):
        return Fault(Kind.SHUT, f"{_SHUT[402]}: {why}", asked)
    if status in _SHUT:
        return Fault(Kind.SHUT, f"{_SHUT[status]}: {why}", asked)
    if status in _PASSING or status >= 500:
        return Fault(Kind.PASSING, why, asked)
    if 300 <= status < 400:
        why = f"it sends elsewhere (status {status}), and no key goes along; set the address that it leads to"
    return Fault(Kind.WRONG, why)


@dataclass(frozen=True)
class Line:
    """One endpoint as everything here uses it: one breaker, one policy, one view of what is secret.

    `prices` are a workspace's own. Models of one endpoint share their line.
    """

    endpoint: Endpoint
    breaker: Breaker
    redactor: Redactor = field(repr=False)
    policy: Policy = Policy()
    prices: Mapping[str, Json] = field(default_factory=dict)

    def sentence(self, text: object) -> str:
        """What a provider or a library said, as it may be shown: one line, without a secret."""
        return one_line(self.redactor.text(str(text)), LONGEST_SENTENCE)


def open_line(
    endpoint: Endpoint,
    *,
    policy: Policy | None = None,
    prices: Mapping[str, Json] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Line:
    """The line to an endpoint; `environ` is where secrets are looked for that must not be sent."""
    policy = policy or Policy()
    secrets = secrets_of(os.environ if environ is None else environ) | {endpoint.api_key}
    breaker = Breaker(endpoint.provider, policy.clock)
    return Line(endpoint, breaker, Redactor(frozenset(secrets)), policy, prices or {})


@dataclass(frozen=True, slots=True)
class Order:
    """What a call asks of the budgets: `tokens` is the most that it can use."""

    model: str
    price: Price | None
    input_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def dollars(self) -> float | None:
        return None if self.price is None else most(self.price, self.input_tokens, self.output_tokens)


def order_of(line: Line, model: str, input_tokens: int, most_output: int) -> Order:
    """`most_output` is cut to what the model can give, where that is known."""
    price = price_of(model, line.prices)
    limit = price.most_output if price is not None and price.most_output else most_output
    return Order(model, price, input_tokens, min(most_output, limit))


async def call(line: Line, order: Order, session: Session, attempt: Callable[[Meter], Awaitable[Reply]]) -> Reply:
    """The answer of the first of a few tries that brings a whole one.

    `attempt` sends once, tells the meter what is used, and raises Fault. Raises ModelFailed, OverBudget, Unavailable.
    """
    for number in count(1):
        admission = line.breaker.admit()
        try:
            reply = await _paid(line, order, session, attempt)
        except Fault as fault:
            wait = _wait_after(line, order.model, admission, fault, number)
            session.show(f"{line.endpoint.provider}: {fault.why}; trying again in {wait:.1f} s")
        except BaseException:
            line.breaker.release(admission)
            raise
        else:
            line.breaker.close(admission)
            return reply
        await line.policy.sleep(wait)
    raise AssertionError("the tries have no end")


async def _paid(line: Line, order: Order, session: Session, attempt: Callable[[Meter], Awaitable[Reply]]) -> Reply:
    """One try between its reservation and its settlement, which comes whatever happens."""
    reservation = await _reserved(line, order, session)
    meter = Meter(session, order.model, order.price, line.policy.clock, order.input_tokens)
    try:
        return presentable(await attempt(meter))
    finally:
        await to_its_end(session.settle(reservation, meter.usage(), one_line(str(meter.request_id), 128)))


async def _reserved(line: Line, order: Order, session: Session) -> Reservation:
    """The reservation; a call that is cancelled while it waits for one gives it back."""
    asking = asyncio.ensure_future(
        session.reserve(line.endpoint.provider, order.model, tokens=order.tokens, dollars=order.dollars)
    )
    try:
        return await asyncio.shield(asking)
    except asyncio.CancelledError:
        await to_its_end(_given_back(asking, session))
        raise


async def _given_back(asking: asyncio.Future[Reservation], session: Session) -> None:
    await asyncio.wait({asking})
    if not asking.cancelled() and asking.exception() is None:
        await session.settle(asking.result(), Usage())


def _wait_after(line: Line, model: str, admission: Admission, fault: Fault, number: int) -> float:
    """Seconds until the next try; raises when there is none."""
    provider, policy = line.endpoint.provider, line.policy
    last = number >= policy.tries
    if fault.kind is Kind.WRONG:
        line.breaker.close(admission)
        raise ModelFailed(f"{provider} does not answer this request to {model}: {fault.why}") from fault
    if fault.kind is Kind.SHUT:
        raise line.breaker.open(admission, fault.why, fault.asked) from fault
    if fault.kind is Kind.PASSING:
        if last or admission.trial or (fault.asked or 0.0) > policy.patience:
            raise line.breaker.open(admission, fault.why, fault.asked) from fault
    else:
        line.breaker.release(admission)
        if last:
            raise ModelFailed(f"{provider}: {model} gave no whole answer in {number} tries: {fault.why}") from fault
    return policy.wait(number, fault.asked)


def in_words(error: BaseException) -> str:
    """What an exception says; its kind where it says nothing, as time-outs do."""
    return str(error) or type(error).__name__


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. Cancelled meanwhile, it is finished all the same, and the cancellation raised after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as stop:
            cancelled = stop
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


class PerLoop(Generic[T]):
    """What belongs to an event loop and is made at its first use: the connections of an SDK, once it is loaded.

    `make` runs in a thread: it takes hundreds of milliseconds when it imports.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make, self._close = make, close
        self._made: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[T]] = WeakKeyDictionary()

    async def get(self) -> T:
        loop = asyncio.get_running_loop()
        making = self._made.get(loop)
        if making is None or (making.done() and (making.cancelled() or making.exception() is not None)):
            making = self._made[loop] = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(making)

    async def aclose(self) -> None:
        """Close what this loop has; the next use makes it anew."""
        making = self._made.pop(asyncio.get_running_loop(), None)
        if making is not None:
            await self._close(await making)
