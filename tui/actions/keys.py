"""Keys: the names that the terminal's driver gives them, and the names that a person reads and writes."""

from __future__ import annotations

PUNCTUATION: dict[str, str] = {
    "!": "exclamation_mark",
    '"': "quotation_mark",
    "#": "number_sign",
    "$": "dollar_sign",
    "%": "percent_sign",
    "&": "ampersand",
    "'": "apostrophe",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "*": "asterisk",
    "+": "plus",
    ",": "comma",
    "-": "minus",
    ".": "full_stop",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less_than_sign",
    "=": "equals_sign",
    ">": "greater_than_sign",
    "?": "question_mark",
    "@": "at",
    "[": "left_square_bracket",
    "\\": "backslash",
    "]": "right_square_bracket",
    "^": "circumflex_accent",
    "_": "underscore",
    "`": "grave_accent",
    "{": "left_curly_bracket",
    "|": "vertical_line",
    "}": "right_curly_bracket",
    "~": "tilde",
}
"""Characters, and what a key that types them is called."""

_ARROWS = {"down": "↓", "up": "↑", "left": "←", "right": "→"}
_SHORT = {"escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "delete": "del", "insert": "ins"}
_SHOWN = {**{name: character for character, name in PUNCTUATION.items()}, **_ARROWS, **_SHORT}
_WRITTEN = {
    **PUNCTUATION,
    **{short: name for name, short in (_ARROWS | _SHORT).items()},
    " ": "space",
    "return": "enter",
    "page_down": "pagedown",
    "page_up": "pageup",
}

NAMED = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"}
    | {"tab", "enter", "escape", "space"}
    | {f"f{n}" for n in range(1, 13)}
    | set(PUNCTUATION.values())
)
"""Keys with a name of more than one letter, without modifiers."""

MODIFIERS = ("alt", "ctrl", "shift")
"""In the order in which the driver names them."""
SAME_AS = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+j": "enter",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
}
"""What a terminal cannot tell apart: it sends the same bytes for both."""


def shown(key: str) -> str:
    """A key as a person reads it: `colon` is `:`, `shift+pagedown` is `shift+pgdn`."""
    before, plus, last = key.rpartition("+")
    return f"{before}{plus}{_SHOWN.get(last, last)}"


def key_of(text: str) -> str | None:
    """The key that a person means by `:`, `colon`, `esc`, `ctrl+t`, `G`; None where there is no such key."""
    word = text.strip() or text[:1]
    if not word:
        return None
    *modifiers, last = word.split("+") if word != "+" and not word.endswith("++") else [*word[:-1].split("+")[:-1], "+"]
    wanted = {modifier.strip().lower() for modifier in modifiers}
    if not wanted <= set(MODIFIERS) or len(wanted) != len(modifiers):
        return None
    base = _base(last.strip() or last)
    if base is None:
        return None
    if len(base) == 1 and base.isalpha():
        if "shift" in wanted:
            wanted -= {"shift"}
            base = base.upper()
        if wanted:
            base = base.lower()
    elif "shift" in wanted and (len(base) == 1 or base in PUNCTUATION.values()):
        return None  # Shift makes another character of it, and which one only the keyboard knows.
    return "+".join([*(modifier for modifier in MODIFIERS if modifier in wanted), base])


def _base(word: str) -> str | None:
    if len(word) == 1:
        return _WRITTEN.get(word) or (word if word.isalnum() else None)
    name = _WRITTEN.get(word.lower(), word.lower())
    return name if name in NAMED else None


def is_typed(key: str) -> bool:
    """Whether the key types a character where text is written."""
    return key == "space" or len(key) == 1 or key in PUNCTUATION.values()
