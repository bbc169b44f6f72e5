"""Draws `screenshots/*.svg` from seeded workspaces under a clock that stands still: `python -m tests.app.screenshots`.

Where a Chromium is installed, the README's PNGs are drawn from their SVGs as well, and `web.png` from a browser.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.app.busy import busy
from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle
from tests.app.inbox import inbox
from tests.app.seeding import SeededWorkspace
from tests.app.seeding_scope import scoped
from tests.terminal.browser import browser_screenshot

FOLDER = Path(__file__).parents[2] / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PADDING = 1


BROWSER_SECONDS = 60
"""The longest a browser may take for a picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is pressed before the picture is taken, in which workspace, at which size, in which theme."""

    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    theme: str = "apm-dark"
    seed: Callable[[Path], SeededWorkspace] = busy
    has_png: bool = False


PICTURES = {
    "dashboard": Picture(has_png=True),
    "dashboard-light": Picture(theme="apm-light"),
    "dashboard-80x24": Picture(size=USUAL),
    "narrow": Picture(size=SMALL),
    "triage": Picture(("t", "x", "x", "j", "x"), seed=inbox, has_png=True),
    "decision": Picture(("space", "space", "space"), has_png=True),
    "answer": Picture(("space", "space", "e")),
    "scope-review": Picture(("0", "2"), seed=scoped, has_png=True),
    "briefing": Picture(("0", "6")),
    "work-item": Picture(("2", "j", "enter")),
    "commands": Picture(("colon",)),
}


async def draw(picture: Picture) -> str:
    """The picture as SVG, without fonts from the network."""
    with tempfile.TemporaryDirectory() as folder:
        made = picture.seed(Path(folder))
        app = app_of(made)
        app.theme = picture.theme
        async with app.run_test(size=picture.size) as pilot:
            await settle(pilot)
            await press(pilot, *picture.keys)
            svg = app.export_screenshot(title="apm")
        made.close()
    without_fonts = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S)
    families = "Fira Code, Menlo, Consolas, DejaVu Sans Mono, monospace"
    return re.sub(r"font-family: (?:Fira Code|monospace|arial)[^;]*;", f"font-family: {families};", without_fonts)


def draw_png(svg: Path) -> None:
    """The SVG as a picture of the same name, through a Chromium; without one nothing is drawn."""
    browser = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text())
    if browser is None or size is None:
        return
    width, height = (int(float(n)) + PADDING for n in size.groups())
    argv = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-device-scale-factor=2",
        "--no-first-run",
    ]
    argv += [f"--screenshot={svg.with_suffix('.png')}", f"--window-size={width},{height}"]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        argv.append(f"--user-data-dir={folder}/profile")
        image = svg.read_text().replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
        page.write_text(f'<body style="margin:0">{image}</body>')
        argv += ["--default-background-color=00000000", page.as_uri()]
        subprocess.run(argv, capture_output=True, check=True, timeout=BROWSER_SECONDS)


def main() -> None:
    for name, picture in PICTURES.items():
        svg = FOLDER / f"{name}.svg"
        svg.write_text(asyncio.run(draw(picture)), encoding="utf-8")
        if picture.has_png:
            draw_png(svg)
    if any(map(shutil.which, CHROMIUM)):
        with tempfile.TemporaryDirectory() as folder:
            busy(Path(folder)).close()
            browser_screenshot(Path(folder), FOLDER / "web.png", "3")


if __name__ == "__main__":
    main()
