"""The app's own themes: calm, of high contrast, with one accent; hues that also the colour-blind tell apart."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender
from textual.theme import Theme


class PlainBars(ScrollBarRender):
    """Scroll bars of whole cells, for terminals without block characters."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


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
        "apm-dim": "#8f9bb0",
        "apm-faint": "#586478",
        "apm-line": "#2a3344",
        "apm-cursor": "#243351",
        "apm-cursor-blurred": "#1b2230",
        "apm-bar": "#171d28",
        "block-cursor-background": "#7aa2f7",
        "block-cursor-foreground": "#0f131a",
        "input-selection-background": "#7aa2f7 35%",
        "scrollbar": "#2a3344",
        "scrollbar-hover": "#3a465c",
        "scrollbar-active": "#7aa2f7",
        "scrollbar-background": "#141922",
        "scrollbar-background-hover": "#141922",
        "scrollbar-background-active": "#141922",
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
        "apm-faint": "#7a8597",
        "apm-line": "#c3cbd8",
        "apm-cursor": "#d3e0fb",
        "apm-cursor-blurred": "#e6eaf1",
        "apm-bar": "#dde3ec",
        "block-cursor-background": "#2a57b5",
        "block-cursor-foreground": "#ffffff",
        "input-selection-background": "#2a57b5 25%",
        "scrollbar": "#c3cbd8",
        "scrollbar-hover": "#a9b4c5",
        "scrollbar-active": "#2a57b5",
        "scrollbar-background": "#f7f8fa",
        "scrollbar-background-hover": "#f7f8fa",
        "scrollbar-background-active": "#f7f8fa",
    },
)

FALLBACKS = {
    "apm-dim": DARK.variables["apm-dim"],
    "apm-faint": DARK.variables["apm-faint"],
    "apm-line": DARK.variables["apm-line"],
    "apm-cursor": DARK.variables["apm-cursor"],
    "apm-cursor-blurred": DARK.variables["apm-cursor-blurred"],
    "apm-bar": DARK.variables["apm-bar"],
}
"""What our variables are under a theme that is not ours."""
