"""The served model, once for all tests that need it; they run with `make test-model` and never with `make test`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.model.localmodel import NotToBeHad, served


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real model on loopback; what needs it is skipped with the reason where there is none."""
    try:
        with served() as address:
            yield address
    except NotToBeHad as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("ANTHROPIC_", "OPENAI_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
