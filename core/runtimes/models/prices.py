"""What a model's tokens cost: list prices with a date, beside this file, and what a workspace pays instead.

A model that nobody knows a price of has none: its dollars are "not known", never nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from core.contract import Json, UsageError

_FILE = Path(__file__).with_name("prices.yaml")
_MILLION = 1_000_000

# A dated snapshot or the latest of a family costs what the family costs.
_SNAPSHOT = re.compile(r"[-@](?:20\d{6}|latest)$")


class Counted(Protocol):
    """Tokens by what is paid for them: `core.agents.session.Usage` and whatever counts alike."""

    @property
    def input(self) -> int: ...
    @property
    def output(self) -> int: ...
    @property
    def cache_read(self) -> int: ...
    @property
    def cache_write(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens. A cache keeps what is written to it five minutes, or an hour for more money."""

    input: float
    output: float
    cache_write: float
    cache_write_1h: float
    cache_read: float


@dataclass(frozen=True, slots=True)
class Price:
    """What a family of models costs. `above` are (tokens of the prompt, rates beyond them), the smallest first.

    `context` and `most_output` are tokens, 0 where nobody said. `since` is the day for which it holds and where that
    is said.
    """

    family: str
    base: Rates
    above: tuple[tuple[int, Rates], ...] = ()
    context: int = 0
    most_output: int = 0
    since: str = ""

    def rates(self, prompt_tokens: int) -> Rates:
        """The rates of a call with so many tokens in its prompt, those from the cache included."""
        return next((rates for limit, rates in reversed(self.above) if prompt_tokens > limit), self.base)


def price_of(model: str, overrides: Mapping[str, Json] | None = None) -> Price | None:
    """What `model` costs, or None. `overrides` are entries of the file's form by model, and win over the file.

    Raises UsageError for an override that is not what a price looks like.
    """
    for name in (model, _SNAPSHOT.sub("", model)):
        if overrides is not None and name in overrides:
            return _price(name, overrides[name], "the workspace's own prices")
        if name in _listed():
            return _listed()[name]
    return None


def cost(price: Price, used: Counted, *, kept_an_hour: int = 0) -> float:
    """US dollars for what a call used; `kept_an_hour` of its cache writes are paid at the one-hour rate."""
    rates = price.rates(used.input + used.cache_read + used.cache_write)
    return (
        used.input * rates.input
        + used.output * rates.output
        + (used.cache_write - kept_an_hour) * rates.cache_write
        + kept_an_hour * rates.cache_write_1h
        + used.cache_read * rates.cache_read
    ) / _MILLION


def most(price: Price, input_tokens: int, output_tokens: int) -> float:
    """The most US dollars that such a call can cost: all of its input is new to the cache and written to it."""
    candidates = [price.base, *(rates for limit, rates in price.above if input_tokens > limit)]
    return max(
        (input_tokens * max(rates.input, rates.cache_write) + output_tokens * rates.output) / _MILLION
        for rates in candidates
    )


@cache
def _listed() -> Mapping[str, Price]:
    import yaml  # 20 ms that only a call to a model pays

    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    since = f"list price of {content['date']}"
    return {name: _price(name, entry, since) for name, entry in content["models"].items()}


OWN = "prices.yaml"
"""The file beside `agents.yaml` in which a workspace says what it pays: {model: {"input", "output", …}}."""


class PriceError(UsageError):
    """A price that is none. `place` leads to what is wrong with it, from its model on; `text` says what that is."""

    def __init__(self, place: tuple[str | int, ...], text: str) -> None:
        self.place, self.text = place, text
        name, *within = place
        super().__init__(f"The price of {name!r}{': ' if within else ''}{'.'.join(map(str, within))} {text}.")


def read_own(folder: Path) -> dict[str, Json]:
    """A workspace's own prices, none without the file.

    Raises DocumentError for one that is not what prices look like, with each model's first fault and its line.
    """
    path = folder / OWN
    if not path.exists():
        return {}
    from core.registry.documents import DocumentError, read  # with the YAML parser

    document = read(path)
    if not isinstance(document.data, dict | None):
        text = "must map models to their prices, as in `my-model: {input: 1, output: 4}`"
        raise DocumentError(document.source, [document.problem((), text)])
    found = {name: _counted(entry) for name, entry in (document.data or {}).items()}
    problems = []
    for name, entry in found.items():
        try:
            _price(name, entry, OWN)
        except PriceError as error:
            problems.append(document.problem(tuple(map(str, error.place)), error.text))
    if problems:
        raise DocumentError(document.source, problems)
    return found


_COUNT = re.compile("[0-9]{1,18}")


def _counted(entry: Any) -> Any:
    """An entry with the keys of its `above` as the numbers that they stand for; keys of a document are text."""
    above = entry.get("above") if isinstance(entry, Mapping) else None
    if not isinstance(above, Mapping):
        return entry
    return {**entry, "above": {int(key) if _COUNT.fullmatch(key) else key: value for key, value in above.items()}}


def _price(name: str, entry: Any, since: str) -> Price:
    base = _rates(entry, name)
    above = entry.get("above") or {}
    if not isinstance(above, Mapping) or not all(isinstance(limit, int) and limit > 0 for limit in above):
        raise PriceError((name, "above"), "must map a number of prompt tokens to the prices beyond it")
    return Price(
        name,
        base,
        tuple((limit, _rates(above[limit], name, "above", limit)) for limit in sorted(above)),
        _tokens(name, entry, "context"),
        _tokens(name, entry, "most_output"),
        since,
    )


def _rates(entry: Any, *place: str | int) -> Rates:
    """Where a cache's price is not said, reading it costs what input costs, and so does writing it."""
    if not isinstance(entry, Mapping):
        raise PriceError(place, "must be a mapping with at least input and output")
    given = {key: _dollars(entry, *place, key) for key in Rates.__slots__ if key in entry}
    for needed in ("input", "output"):
        if needed not in given:
            raise PriceError(place, f"says nothing about {needed}: give dollars per million tokens")
    write = given.get("cache_write", given["input"])
    return Rates(
        given["input"],
        given["output"],
        write,
        given.get("cache_write_1h", write),
        given.get("cache_read", given["input"]),
    )


def _dollars(entry: Mapping[str | int, Any], *place: str | int) -> float:
    value = entry[place[-1]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MILLION:
        raise PriceError(place, f"is {value!r}; it must be dollars per million tokens")
    return float(value)


def _tokens(name: str, entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PriceError((name, key), f"is {value!r}; it must be a number of tokens")
    return value
