"""What the app says in passing: what was done, and what cannot be. The same words stand there once, few at a time.

Notices take lines of the screen and lie over nothing, so that no key answers what they hide (`styles/app.tcss`).
"""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notification, Notify

from core.sanitise import sanitise
from tui.text.words import in_screen_words

LONGEST = 500
"""Characters of a notice."""
MOST = 3
"""Notices that stand at one time: they take room from what is being read."""
LOW_BELOW = 20
"""Rows of the screen below which one stands, and what only tells waits for no room that something else needs."""
TOLD_SECONDS, COMPLAINED_SECONDS, LATE_SECONDS = 4, 12, 60
LATE = "Not written yet: another program holds the database, or the disk is slow. It is written as soon as that ends."


class Notices(App[int]):
    """Mixin of the app."""

    _is_late = False

    def tell(self, text: str) -> None:
        self.notify(_shown(text), markup=False, timeout=TOLD_SECONDS)

    def complain(self, text: str) -> None:
        self.notify(_shown(text), severity="error", markup=False, timeout=COMPLAINED_SECONDS)

    def tell_late(self, is_late: bool) -> None:
        """What is to be written waits for the database; or waits no more."""
        if is_late:
            self.notify(LATE, severity="warning", markup=False, timeout=LATE_SECONDS)
        elif self._is_late:
            # Behind the notice, which may still be on its way.
            self.call_later(self._drop, LATE)
        self._is_late = is_late

    def _drop(self, text: str) -> None:
        for notice in list(self._notifications):
            if notice.message == text:
                self._unnotify(notice)

    def standing(self) -> list[str]:
        """What was told and can still be read."""
        return [notice.message for notice in self._notifications]

    def on_notify(self, event: Notify) -> None:
        """Runs before Textual's own handler: the new notice takes the place of the one that says the same, and where
        there are too many that of the oldest, of those first that only tell."""
        new = event.notification
        standing = [old for old in self._notifications if old is not new]
        same = [old for old in standing if (old.message, old.severity) == (new.message, new.severity)]
        others = sorted((old for old in standing if old not in same), key=lambda old: old.severity != "information")
        most = 1 if self.size.height < LOW_BELOW else MOST
        if most == 1 and new.severity == "information" and any(old.severity != "information" for old in others):
            event.prevent_default()
            return
        for old in (*same, *others[: max(0, len(others) - most + 1)]):
            self._unnotify(old, refresh=False)

    def _refresh_notifications(self) -> None:
        super()._refresh_notifications()
        self._make_room()

    def _unnotify(self, notification: Notification, refresh: bool = True) -> None:
        super()._unnotify(notification, refresh)
        self._make_room()

    def _make_room(self) -> None:
        """A dialog's parts take less of a low screen while something is said below it."""
        if self._screen_stack and self.screen.is_modal:
            self.screen.set_class(bool(self._notifications), "-told")


def _shown(text: str) -> str:
    return sanitise(in_screen_words(text), limit=LONGEST)
