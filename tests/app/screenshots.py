"""Draws `screenshots/*.svg` from a seeded workspace under a clock that stands still: `python -m tests.app.screenshots`.

Where a Chromium is installed, `dashboard.png` for the README is drawn from its SVG as well.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.app.busy import busy
from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle

FOLDER = Path(__file__).parents[2] / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PADDING = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """What is pressed before the picture is taken, at which size, in which theme."""

    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    theme: str = "apm-dark"


PICTURES = {
    "dashboard": Picture(),
    "dashboard-light": Picture(theme="apm-light"),
    "dashboard-80x24": Picture(size=USUAL),
    "dashboard-40x12": Picture(size=SMALL),
    "question": Picture(("space", "space", "space")),
    "answer": Picture(("space", "space", "e")),
    "work-item": Picture(("j", "enter")),
    "commands": Picture(("colon",)),
}


async def draw(picture: Picture) -> str:
    """The picture as SVG, without fonts from the network."""
    with tempfile.TemporaryDirectory() as folder:
        made = busy(Path(folder))
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
    ]
    argv += [f"--screenshot={svg.with_suffix('.png')}", f"--window-size={width},{height}"]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        image = svg.read_text().replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
        page.write_text(f'<body style="margin:0">{image}</body>')
        subprocess.run([*argv, "--default-background-color=00000000", page.as_uri()], capture_output=True, check=True)


def main() -> None:
    for name, picture in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(asyncio.run(draw(picture)), encoding="utf-8")
    draw_png(FOLDER / "dashboard.svg")


if __name__ == "__main__":
    main()
