"""Running `apm` inside the test's process: what it printed where, and how it ended."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.store.store import Store
from core.store.transaction import Transaction
from tests.e2e.apm_process import Ended
from tui.cli.main import main


@dataclass
class CommandLine:
    """A workspace's folder and the command line in front of it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str | Path, stdin: str | bytes = "") -> Ended:
        content = stdin.encode() if isinstance(stdin, str) else stdin
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        self.capsys.readouterr()
        code = main(["--workspace", str(self.folder), *(str(w) for w in words)])
        printed = self.capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        """Change the workspace's database behind the command line's back."""
        with Store.open(self.folder / "state") as store:
            return store.write_now(work)
