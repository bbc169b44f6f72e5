"""A person at a terminal, in code: a real pseudo-terminal, keys into it, and the moments at which bytes came out.

Everything is timed from outside: from the byte that the terminal hands to the app until the app has written bytes that
show what the key did. Both processes read CLOCK_MONOTONIC, so that moments of one count in the other.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

import psutil

from core.contract import Json
from tests.bench.children import on_terminal

PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 0.06
STILL_SECONDS = 0.02
"""An app that writes nothing for so long has shown all that a key led to."""
MARK = re.compile(rb"mark-(\d{6})")
STYLE = re.compile(rb"\x1b\[[0-9;]*m")
LINE_END = re.compile(rb"\x1b\[|\n")
CURSOR = "▌".encode()
"""What the app draws in front of the row under the cursor of the pane that takes the keys."""
DONE_LOOK_SECONDS, DONE_SHARE = 1.0, 0.05
"""An app that uses less than this share of a core, looked at so often, does nothing but wait."""
ROWS_OF_A_CROWD = ("item ", "case ")
NAME = re.compile(rb"(?:item|case) \d{6}|mark-\d{6}")
"""What tells the rows of a crowd apart."""


class Watched:
    """An app on a terminal of its own."""

    def __init__(self, program: subprocess.Popen[bytes], terminal: int, orders: socket.socket) -> None:
        self.program, self._terminal, self._orders = program, terminal, orders
        self.process = psutil.Process(program.pid)
        self.painted: dict[str, float] = {}
        """When each mark was first on the terminal."""
        self.place = b""
        """The row under the cursor, by name."""
        self._seen = b""
        self._last = 0.0
        self._answers: list[Json] = []
        self._line = b""

    def pump(
        self,
        until: Callable[[], object],
        seconds: float = PATIENCE_SECONDS,
        what: str = "",
        look_every: float = PATIENCE_SECONDS,
    ) -> None:
        """Take in what the app writes until something holds. Raises RuntimeError when time is up."""
        end = perf_counter() + seconds
        while not until():
            left = end - perf_counter()
            if left <= 0:
                raise RuntimeError(f"{what} did not happen within {seconds:g} s; the end was {self._end_of_output()!r}")
            self._take(min(left, look_every))

    def rest(self, seconds: float) -> None:
        """Take in what the app writes for so long."""
        end = perf_counter() + seconds
        while (left := end - perf_counter()) > 0:
            self._take(left)

    def rest_until_done(self, most: float) -> None:
        """Take in what the app writes until it has nothing more to do by itself, for at most so long."""
        end, used = perf_counter() + most, self.cpu_seconds()
        while perf_counter() < end:
            self.rest(DONE_LOOK_SECONDS)
            before, used = used, self.cpu_seconds()
            if used - before < DONE_SHARE * DONE_LOOK_SECONDS:
                return

    def cpu_seconds(self) -> float:
        """What the app has used of processors so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def press(self, keys: bytes, shows: Callable[[bytes], object] | None = None) -> float:
        """Seconds from these keys to the bytes that show another row under the cursor, or what `shows` looks for.

        The rest of what the key before has drawn is taken in first, so that it does not pass for what these keys draw.
        """
        self.pump(lambda: perf_counter() - self._last > STILL_SECONDS, what="rest", look_every=STILL_SECONDS / 2)
        self.place = row_at_cursor(self._seen) or self.place
        self._seen, before = b"", self.place

        def moved() -> bool:
            self.place = row_at_cursor(self._seen) or self.place
            return self.place != before

        seen = self._seen
        began = perf_counter()
        os.write(self._terminal, keys)
        self.pump(
            moved if shows is None else lambda: shows(STYLE.sub(b"", self._seen)), what=f"{keys!r} after {seen!r}"
        )
        return perf_counter() - began

    def press_to_rest(self, keys: bytes, text: str) -> float:
        """Seconds from these keys to the last of the bytes that they led to, among which this text is shown."""
        self._seen = b""
        began = perf_counter()
        os.write(self._terminal, keys)
        self.pump(
            lambda: self.shows(text.encode()) and perf_counter() - self._last > QUIET_SECONDS,
            what=f"{text!r} after {keys!r}",
            look_every=QUIET_SECONDS / 4,
        )
        return max(0.0, self._last - began)

    def order(self, do: str, **values: object) -> None:
        """Tell the app something that takes a while; `answer` is what comes of it."""
        self._orders.sendall(json.dumps({"do": do, **values}).encode() + b"\n")

    def answer(self, key: str = "") -> Json:
        """What came of an order: the first answer to come, or the first that has this key."""

        def found() -> Json | None:
            return next((a for a in self._answers if not key or key in a or "error" in a), None)

        self.pump(found, what=f"an answer with {key!r}")
        answer = found() or {}
        self._answers.remove(answer)
        if "error" in answer:
            raise RuntimeError(f"the app could not do what it was told: {answer['error']}")
        return answer

    def note_place(self) -> None:
        """Take the row that was drawn last with the cursor as the one that the next key leaves."""
        self.place = row_at_cursor(self._seen)

    def peak_mb(self) -> float:
        """The most memory that the app has had; what it has now where the system does not tell."""
        status = Path(f"/proc/{self.program.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        peak = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
        return resident_mb(self.process) if peak is None else int(peak) / 1024

    def shows(self, text: bytes) -> bool:
        """Whether it was written since the last key."""
        return text in STYLE.sub(b"", self._seen)

    def end(self) -> None:
        """Stop the app, taking in what it still writes: one that waits for room on its terminal could not end."""
        self.program.terminate()
        deadline = perf_counter() + PATIENCE_SECONDS
        while self.program.poll() is None and perf_counter() < deadline:
            with suppress(RuntimeError):
                self._take(0.05)
        self.program.kill()
        self.program.wait()
        os.close(self._terminal)
        self._orders.close()

    def _end_of_output(self) -> str:
        return STYLE.sub(b"", self._seen).decode(errors="replace").strip()[-300:]

    def _take(self, seconds: float) -> None:
        ready, _, _ = select.select([self._terminal, self._orders.fileno()], [], [], seconds)
        if self._orders.fileno() in ready:
            self._line += self._orders.recv(2**20)
            *whole, self._line = self._line.split(b"\n")
            self._answers += [json.loads(line) for line in whole]
        if self._terminal not in ready:
            return
        try:
            chunk = os.read(self._terminal, 2**16)
        except OSError:
            raise RuntimeError(f"the app has ended; the end was {self._end_of_output()!r}") from None
        now = perf_counter()
        self._last = now
        for found in MARK.finditer(self._seen[-16:] + chunk):
            self.painted.setdefault(found[1].decode(), now)
        self._seen = (self._seen + chunk)[-(2**17) :]


def row_at_cursor(written: bytes) -> bytes:
    """The name in the last row that was drawn with the cursor before it; empty when there is none."""
    drawn = STYLE.sub(b"", written)
    at = drawn.rfind(CURSOR)
    while at >= 0:
        line = LINE_END.split(drawn[at:], maxsplit=1)[0]
        if found := NAME.search(line):
            return found[0]
        at = drawn.rfind(CURSOR, 0, at)
    return b""


@contextmanager
def watched(place: Path, folder: Path, *, shows: Sequence[str] = ROWS_OF_A_CROWD) -> Iterator[Watched]:
    """The app on a workspace, taking orders, once these texts are on the screen; ended at the end."""
    mine, its = socket.socketpair()
    with its:
        arguments = ("-m", "tests.bench.watched_app", str(folder), str(its.fileno()))
        app = _started(place, arguments, mine, its.fileno())
    with _ended(app, shows):
        yield app


@contextmanager
def product(place: Path, folder: Path, *, shows: Sequence[str] = ROWS_OF_A_CROWD) -> Iterator[Watched]:
    """`apm` on a workspace, engine and all, once these texts are on the screen; it takes no orders."""
    mine, its = socket.socketpair()
    with its, _ended(_started(place, ("-m", "tui.cli.main", "--workspace", str(folder)), mine), shows) as app:
        yield app


def _started(place: Path, arguments: Sequence[str], orders: socket.socket, *descriptors: int) -> Watched:
    child, ours = on_terminal(place, arguments, descriptors)
    return Watched(child, ours, orders)


@contextmanager
def _ended(app: Watched, shows: Sequence[str]) -> Iterator[Watched]:
    try:
        app.pump(lambda: all(app.shows(text.encode()) for text in shows), what="the first rows")
        yield app
    finally:
        app.end()


def resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20
