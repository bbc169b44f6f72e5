"""Virtual environments of the benchmark's own: one a tool, below `.engines/`, made at first use and kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench_engine.contestants import ROOT, NotMeasured, last_line

HOME = ROOT / ".engines"
INSTALL_SECONDS = 600


def environment(name: str, packages: Sequence[str], npm: Sequence[str] = ()) -> Path:
    """The folder of an environment that holds the packages, pinned as they are. Raises NotMeasured with pip's reason.

    Made anew when the list has changed; what was not installed to its end has no stamp, and is begun again.
    """
    folder, wanted = HOME / name, "\n".join((*packages, *npm)) + "\n"
    stamp = folder / "installed.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {', '.join((*packages, *npm))} into {folder} (once) …", file=sys.stderr)
    _must(sys.executable, "-m", "venv", str(folder))
    _must(str(folder / "bin" / "pip"), "install", "--quiet", *packages)
    if npm:
        _must("npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix", str(folder), *npm)
    stamp.write_text(wanted, encoding="utf-8")
    return folder


def _must(*command: str) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except FileNotFoundError:
        raise NotMeasured(f"it could not be installed: there is no {command[0]} here") from None
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"it could not be installed within {INSTALL_SECONDS} s") from None
    if ended.returncode:
        raise NotMeasured(f"it could not be installed: {complaint(ended.stderr)}")


def complaint(text: str) -> str:
    """What pip or npm gives as its reason, without the list of everything that there would have been."""
    wrong = [line for line in text.splitlines() if line.startswith(("ERROR", "npm error"))]
    return (wrong[0] if wrong else last_line(text)).partition(" (from versions")[0]
