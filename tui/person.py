"""Who sits at the keyboard: the name that goes on the record with every answer."""

from __future__ import annotations

import getpass


def name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"
