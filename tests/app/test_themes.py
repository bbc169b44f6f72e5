"""Every tone on every background of each theme can be read; the terminal's own colours, plain borders, NO_COLOR.

Contrast is the WCAG's: the ratio of the relative luminances of both colours, each with 0.05 added, the lighter above
(WCAG 2.2, "contrast ratio" and "relative luminance", https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
"""

from __future__ import annotations

import unicodedata

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.app.driving import app_of, opened, press, screen_text, settle
from tests.app.seeding import SeededWorkspace
from tui.settings.themes import (
    ANSI_DARK,
    ANSI_LIGHT,
    CONTRAST,
    DARK,
    LIGHT,
    OURS,
    PLAIN_BORDERS,
    opposite,
    variables_of,
)
from tui.text.words import TONES

OF_OUR_OWN = [theme for theme in OURS if not theme.ansi]
SAYS_SOMETHING = ("text", "dim", "accent", "ask", "good", "bad")
BACKGROUNDS = ("background", "surface", "panel", "bar", "cursor", "cursor-blurred")

LEAST = {
    DARK.name: dict.fromkeys(SAYS_SOMETHING, 4.5) | {"faint": 3.0},
    LIGHT.name: dict.fromkeys(SAYS_SOMETHING, 4.5) | {"faint": 3.0},
    CONTRAST.name: dict.fromkeys(SAYS_SOMETHING, 7.0) | {"dim": 4.5, "faint": 4.5},
}
"""Per tone. AA is 4.5 and AAA 7 for text; what is faint tells nothing that is not told otherwise, as with ornaments."""
SEPARATE = 3.0
"""Of the lines around panes in the theme of high contrast (WCAG 1.4.11, non-text contrast)."""


def luminance(colour: Color) -> float:
    channels = (channel / 255 for channel in colour.rgb)
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))))
    return (high + 0.05) / (low + 0.05)


def inks(theme: Theme) -> dict[str, str]:
    """The colours of the tones, as app.tcss gives them."""
    found = {
        "text": theme.foreground,
        "dim": theme.variables["apm-dim"],
        "faint": theme.variables["apm-faint"],
        "accent": theme.accent,
        "ask": theme.warning,
        "good": theme.success,
        "bad": theme.error,
    }
    return {tone: colour for tone, colour in found.items() if colour is not None}


def grounds(theme: Theme) -> dict[str, str]:
    own = {name: theme.variables[f"apm-{name}"] for name in BACKGROUNDS if f"apm-{name}" in theme.variables}
    found = {"background": theme.background, "surface": theme.surface, "panel": theme.panel, **own}
    return {name: colour for name, colour in found.items() if colour is not None}


def test_black_on_white_is_the_most_that_there_is() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)


def test_every_tone_is_looked_at() -> None:
    drawn = {"strong": "text", "run": "accent", "loud": "loud"}
    assert {drawn.get(tone, tone) for tone in TONES} == {*inks(DARK), "loud"}
    assert set(grounds(DARK)) == set(BACKGROUNDS)


@pytest.mark.parametrize("tone", inks(DARK))
@pytest.mark.parametrize("theme", OF_OUR_OWN, ids=lambda theme: str(theme.name))
def test_a_tone_can_be_read_on_every_background(theme: Theme, tone: str) -> None:
    ink = inks(theme)[tone]
    too_low = {name: round(contrast(ink, ground), 2) for name, ground in grounds(theme).items()}
    assert {name: ratio for name, ratio in too_low.items() if ratio < LEAST[theme.name][tone]} == {}


@pytest.mark.parametrize("theme", OF_OUR_OWN, ids=lambda theme: str(theme.name))
def test_what_is_loud_or_selected_can_be_read(theme: Theme) -> None:
    assert contrast(theme.variables["apm-loud"], str(theme.warning)) >= 4.5
    selected = theme.variables["screen-selection-foreground"], theme.variables["screen-selection-background"]
    assert contrast(*selected) >= 4.5


def test_the_lines_of_the_theme_of_high_contrast_separate() -> None:
    line = CONTRAST.variables["apm-line"]
    assert all(contrast(line, grounds(CONTRAST)[name]) >= SEPARATE for name in ("background", "surface", "panel"))


@pytest.mark.parametrize("theme", [ANSI_DARK, ANSI_LIGHT], ids=lambda theme: str(theme.name))
def test_the_ansi_themes_use_nothing_but_the_terminals_own_colours(theme: Theme) -> None:
    colours = [*inks(theme).values(), *grounds(theme).values(), *theme.variables.values()]
    assert [colour for colour in colours if not colour.startswith("ansi_")] == []


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_under_a_theme_of_textual_our_text_can_be_read(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    if theme.ansi:
        assert all(colour.startswith("ansi_") for colour in variables_of(theme).values())
        return
    surface = theme.to_color_system().generate()["surface"]
    own = variables_of(theme)
    assert contrast(own["apm-dim"], surface) >= 3.0
    assert contrast(own["apm-faint"], surface) >= 2.0


@pytest.mark.parametrize("theme", [*OURS, *BUILTIN_THEMES.values()], ids=lambda theme: str(theme.name))
async def test_the_app_can_be_drawn_in_every_theme(theme: Theme, empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        pilot.app.theme = theme.name
        await settle(pilot)
        assert "apm" in screen_text(pilot)


async def test_the_ansi_theme_sends_the_terminals_own_colours(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        pilot.app.theme = ANSI_DARK.name
        await settle(pilot)
        styles = [segment.style for strip in pilot.app.screen._compositor.render_strips() for segment in strip]
        colours = [c for style in styles if style is not None for c in (style.color, style.bgcolor) if c is not None]
        assert colours
        assert [c for c in colours if c.triplet is not None] == []


def test_the_other_theme_is_of_the_same_kind() -> None:
    known = {theme.name: theme for theme in OURS} | BUILTIN_THEMES
    assert opposite(DARK.name, known) == LIGHT.name
    assert opposite(LIGHT.name, known) == DARK.name
    assert opposite(CONTRAST.name, known) == LIGHT.name
    assert opposite(ANSI_DARK.name, known) == ANSI_LIGHT.name
    assert opposite("nord", known) == LIGHT.name


def test_lines_and_corners_have_plain_stand_ins_of_one_cell() -> None:
    drawn = "╭─╮│╰╯┌┐└┘├┤━┃▔▁▎▌"
    (segment,) = PLAIN_BORDERS.apply([Segment(drawn)], Color(0, 0, 0))
    assert segment.text.isascii()
    assert len(segment.text) == len(drawn)


@pytest.mark.parametrize("keys", [(), ("0", "8"), ("space",), ("question_mark",), ("n",)])
async def test_the_ascii_set_leaves_nothing_else_on_the_screen(
    keys: tuple[str, ...], busy_workspace: SeededWorkspace
) -> None:
    async with opened(busy_workspace) as pilot:
        pilot.app.ascii_glyphs = True  # type: ignore[attr-defined]
        await press(pilot, *keys)
        beyond = {character for character in screen_text(pilot) if not character.isascii()}
        # Words of other scripts are what a person or an agent wrote; they have no stand-in.
        assert {character for character in beyond if not unicodedata.category(character).startswith("L")} == set()


async def test_without_colour_nothing_has_a_hue(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_of(busy_workspace)
    async with app.run_test() as pilot:
        await settle(pilot)
        styles = [segment.style for strip in app.screen._compositor.render_strips() for segment in strip]
        triplets = [c.triplet for s in styles if s for c in (s.color, s.bgcolor) if c is not None and c.triplet]
        assert triplets
        assert all(len({*triplet}) == 1 for triplet in triplets)
