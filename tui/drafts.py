"""What was written into forms that were left without sending: kept while apm runs, and over its end."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)

FILE_NAME = "drafts.json"
MOST = 200
"""Drafts; beyond that the oldest go."""


class Drafts(dict[str, dict[str, str]]):
    """By the form's key, the texts of its fields by name."""

    def __init__(self) -> None:
        super().__init__()
        self._file: Path | None = None
        self._read: frozenset[str] = frozenset()

    def follow(self, state: Path) -> None:
        """Take up those of a workspace. What was written meanwhile goes before what the file has."""
        self._file = state / FILE_NAME
        found = _in_file(self._file)
        self._read = frozenset(found)
        for key, texts in found.items():
            self.setdefault(key, texts)

    def gather(self, screens: Iterable[object]) -> None:
        """Take up what is written in forms that are still open."""
        for screen in screens:
            if (keep_draft := getattr(screen, "keep_draft", None)) is not None:
                keep_draft()

    def keep(self) -> None:
        """Write them beside the others that an apm on the same workspace has kept since."""
        try:
            if self._file is not None and (self or self._file.exists()):
                self._write(self._file)
        except OSError as error:
            # A full disk keeps nobody from leaving.
            logger.warning("drafts could not be kept: %s", error)

    def _write(self, file: Path) -> None:
        others = {key: texts for key, texts in _in_file(file).items() if key not in self._read}
        kept = {key: texts for key, texts in (others | self).items() if any(texts.values())}
        newest = dict(list(kept.items())[-MOST:])
        if not newest:
            file.unlink(missing_ok=True)
            return
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(newest, ensure_ascii=False), encoding="utf-8", errors="surrogatepass")
        draft.replace(file)


def _in_file(file: Path) -> dict[str, dict[str, str]]:
    """Empty where there is none, or where it is not what `keep` writes."""
    try:
        found = json.loads(file.read_text(encoding="utf-8", errors="surrogatepass"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        key: {name: text for name, text in texts.items() if isinstance(text, str)}
        for key, texts in found.items()
        if isinstance(texts, dict)
    }
