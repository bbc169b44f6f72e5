"""The app's own themes, and what its colours are under any other.

Hues that also the colour-blind tell apart, one accent. Least contrasts, by the WCAG's formula, on every background
that text stands on, the cursor's row included: dark and light 4.5 for whatever says something and 3 for what is faint;
high contrast 7, and 4.5 for what is dim or faint. The ansi themes use the terminal's own sixteen colours, for text
and for what it stands on: whether the terminal itself is dark or light cannot be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender
from textual.theme import Theme

from tui.text.words import ASCII


class PlainBars(ScrollBarRender):
    """Scroll bars of whole cells, for terminals without block characters."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class PlainBorders(LineFilter):
    """Lines, corners and marks in plain ASCII, wherever they are drawn: borders, notices, fields, scroll bars."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(_PLAIN), segment.style)
            for segment in segments
        ]


def _each(characters: str, plain: str) -> dict[int, str]:
    return dict.fromkeys(map(ord, characters), plain)


_PLAIN = {
    **ASCII,
    ord("←"): "<",
    ord("‹"): "<",
    ord("×"): "x",
    ord("⌫"): "<",
    **_each("─━═╌╍┄┅▁▂▔▀▄", "-"),
    **_each("│┃║╎┆▏▎▍▌▊▉█▐▕", "|"),
    **_each("┌┐└┘╭╮╰╯┏┓┗┛╔╗╚╝├┤┬┴┼▖▗▘▙▚▛▜▝▞▟", "+"),
}
PLAIN_BORDERS = PlainBorders()


def _own(line: str, background: str, accent: str) -> dict[str, str]:
    """Variables that follow from others."""
    return {
        "scrollbar": line,
        "scrollbar-hover": line,
        "scrollbar-active": accent,
        "scrollbar-background": background,
        "scrollbar-background-hover": background,
        "scrollbar-background-active": background,
        "scrollbar-corner-color": background,
    }


DARK = Theme(
    name="apm-dark",
    primary="#7aa2f7",
    secondary="#7aa2f7",
    accent="#7aa2f7",
    warning="#e9b35f",
    error="#f7768e",
    success="#7fc8a9",
    foreground="#d5dbe8",
    background="#0f131a",
    surface="#141922",
    panel="#1b2230",
    dark=True,
    variables={
        "apm-dim": "#95a1b6",
        "apm-faint": "#6d7a91",
        "apm-line": "#2a3344",
        "apm-cursor": "#213050",
        "apm-cursor-blurred": "#1b2230",
        "apm-bar": "#171d28",
        "apm-loud": "#0f131a",
        "block-cursor-background": "#7aa2f7",
        "block-cursor-foreground": "#0f131a",
        "input-selection-background": "#7aa2f7 35%",
        "screen-selection-background": "#2f4a80",
        "screen-selection-foreground": "#ffffff",
        **_own("#2a3344", "#141922", "#7aa2f7"),
        "scrollbar-hover": "#3a465c",
    },
)

LIGHT = Theme(
    name="apm-light",
    primary="#2a57b5",
    secondary="#2a57b5",
    accent="#2a57b5",
    warning="#8a5500",
    error="#b3263e",
    success="#1d6b4f",
    foreground="#1d2430",
    background="#e9ecf1",
    surface="#f7f8fa",
    panel="#e1e6ee",
    dark=False,
    variables={
        "apm-dim": "#4d586b",
        "apm-faint": "#707b8e",
        "apm-line": "#c3cbd8",
        "apm-cursor": "#d3e0fb",
        "apm-cursor-blurred": "#e6eaf1",
        "apm-bar": "#dde3ec",
        "apm-loud": "#ffffff",
        "block-cursor-background": "#2a57b5",
        "block-cursor-foreground": "#ffffff",
        "input-selection-background": "#2a57b5 25%",
        "screen-selection-background": "#b7cdf7",
        "screen-selection-foreground": "#10151e",
        **_own("#c3cbd8", "#f7f8fa", "#2a57b5"),
        "scrollbar-hover": "#a9b4c5",
    },
)

CONTRAST = Theme(
    name="apm-contrast",
    primary="#8cc8ff",
    secondary="#8cc8ff",
    accent="#8cc8ff",
    warning="#ffd24d",
    error="#ffb8b0",
    success="#7ef0b4",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    dark=True,
    variables={
        "apm-dim": "#d6d6d6",
        "apm-faint": "#b4b4b4",
        "apm-line": "#8c8c8c",
        "apm-cursor": "#062f68",
        "apm-cursor-blurred": "#262626",
        "apm-bar": "#1a1a1a",
        "apm-loud": "#000000",
        "block-cursor-background": "#8cc8ff",
        "block-cursor-foreground": "#000000",
        "input-selection-background": "#062f68",
        "input-selection-foreground": "#ffffff",
        "screen-selection-background": "#ffd24d",
        "screen-selection-foreground": "#000000",
        **_own("#8c8c8c", "#000000", "#8cc8ff"),
    },
)

_ANSI_DARK = {
    "apm-dim": "ansi_white",
    "apm-faint": "ansi_white",
    "apm-line": "ansi_bright_black",
    "apm-cursor": "ansi_blue",
    "apm-cursor-blurred": "ansi_bright_black",
    "apm-bar": "ansi_black",
    "apm-loud": "ansi_black",
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_bright_white",
    "border-blurred": "ansi_bright_black",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_cyan",
    "input-selection-foreground": "ansi_black",
    "screen-selection-background": "ansi_cyan",
    "screen-selection-foreground": "ansi_black",
    **_own("ansi_bright_black", "ansi_black", "ansi_bright_cyan"),
}
_ANSI_LIGHT = {
    "apm-dim": "ansi_bright_black",
    "apm-faint": "ansi_bright_black",
    "apm-line": "ansi_white",
    "apm-cursor": "ansi_white",
    "apm-cursor-blurred": "ansi_white",
    "apm-bar": "ansi_bright_white",
    "apm-loud": "ansi_bright_white",
    "ansi-background": "ansi_bright_white",
    "ansi-foreground": "ansi_black",
    "border-blurred": "ansi_white",
    "block-cursor-foreground": "ansi_bright_white",
    "block-cursor-background": "ansi_blue",
    "input-cursor-background": "ansi_black",
    "input-cursor-foreground": "ansi_bright_white",
    "input-selection-background": "ansi_blue",
    "input-selection-foreground": "ansi_bright_white",
    "screen-selection-background": "ansi_blue",
    "screen-selection-foreground": "ansi_bright_white",
    **_own("ansi_white", "ansi_bright_white", "ansi_blue"),
}

ANSI_DARK = Theme(
    name="apm-ansi-dark",
    ansi=True,
    primary="ansi_bright_cyan",
    secondary="ansi_bright_cyan",
    accent="ansi_bright_cyan",
    warning="ansi_bright_yellow",
    error="ansi_bright_red",
    success="ansi_bright_green",
    foreground="ansi_bright_white",
    background="ansi_black",
    surface="ansi_black",
    panel="ansi_black",
    boost="ansi_black",
    dark=True,
    variables=_ANSI_DARK,
)

ANSI_LIGHT = Theme(
    name="apm-ansi-light",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_blue",
    accent="ansi_blue",
    warning="ansi_magenta",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_black",
    background="ansi_bright_white",
    surface="ansi_bright_white",
    panel="ansi_bright_white",
    boost="ansi_bright_white",
    dark=False,
    variables=_ANSI_LIGHT,
)

OURS: Sequence[Theme] = (DARK, LIGHT, CONTRAST, ANSI_DARK, ANSI_LIGHT)

ABOUT = {
    DARK.name: "calm, dark",
    LIGHT.name: "calm, light",
    CONTRAST.name: "most contrast",
    ANSI_DARK.name: "16 colours",
    ANSI_LIGHT.name: "16 colours",
}


def variables_of(theme: Theme) -> dict[str, str]:
    """What our variables are under a theme, one that is not ours included: mixed from the colours that it has."""
    if theme.ansi:
        return dict(_ANSI_DARK if theme.dark else _ANSI_LIGHT)
    colours = theme.to_color_system().generate()
    ground, ink = Color.parse(colours["surface"]), Color.parse(colours["foreground"]).rgb
    text, key = Color(*ink), Color.parse(colours["primary"])
    return {
        "apm-dim": ground.blend(text, 0.8).hex,
        "apm-faint": ground.blend(text, 0.62).hex,
        "apm-line": ground.blend(text, 0.22).hex,
        "apm-cursor": ground.blend(key, 0.24).hex,
        "apm-cursor-blurred": ground.blend(text, 0.08).hex,
        "apm-bar": ground.blend(text, 0.05).hex,
        "apm-loud": Color.parse(colours["background"]).hex,
    }


def opposite(name: str, themes: dict[str, Theme]) -> str:
    """The light theme for a dark one and the other way round, of the same kind."""
    theme = themes.get(name)
    if theme is not None and theme.ansi:
        return ANSI_LIGHT.name if theme.dark else ANSI_DARK.name
    return LIGHT.name if theme is None or theme.dark else DARK.name
