"""The product's figures held against the script's own, one by one. What differs is told with both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tests.month.figures import Figures


@dataclass(frozen=True, slots=True)
class Check:
    """One figure: where it stands, what the product says, what the plan says."""

    what: str
    product: Any
    plan: Any

    @property
    def is_equal(self) -> bool:
        return bool(self.product == self.plan)

    def __str__(self) -> str:
        return f"{self.what}: apm says {self.product}, the plan {self.plan}"


def check(product: Figures, plan: Figures) -> tuple[Check, ...]:
    return tuple(_compare("", product, plan))


def _compare(where: str, product: Any, plan: Any) -> Iterator[Check]:
    """Down to the single numbers and words; a list that is longer on one side is a difference of its own."""
    if is_dataclass(product) and type(product) is type(plan):
        for entry in fields(product):
            name = f"{where}.{entry.name}" if where else entry.name
            yield from _compare(name, getattr(product, entry.name), getattr(plan, entry.name))
    elif isinstance(product, tuple) and isinstance(plan, tuple):
        yield Check(f"{where}, how many", len(product), len(plan))
        for number, (one, other) in enumerate(zip(product, plan, strict=False), 1):
            yield from _compare(f"{where}[{number}]", one, other)
    else:
        yield Check(where, product, plan)
