from __future__ import annotations

import pytest

from tests.app.screenshots import FOLDER, PICTURES, draw


@pytest.mark.parametrize("name", PICTURES)
async def test_the_pictures_show_the_app_as_it_is(name: str) -> None:
    """When this fails, `make screenshots` draws them anew; look at them before they are committed."""
    # Compared beforehand: explaining how two such texts differ takes pytest half a minute.
    is_current = (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == await draw(PICTURES[name])
    assert is_current


DRAWN_BY_THE_BENCHMARK = {"hot_path"}
"""`make bench-engine ARGS=--profile`: no screen of the app, and another one each time."""


def test_every_picture_is_made_by_the_script() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(PICTURES) | DRAWN_BY_THE_BENCHMARK
