"""Kept sections of the inbox: what is kept may have come from anywhere."""

from __future__ import annotations

import pytest

from core.contract import UsageError
from core.store.settings import keep_setting
from core.store.transaction import Transaction
from tests.app.seeding import SeededWorkspace
from tui.questions import sections

HOSTILE = "a\x1b]0;owned\x07\u202eb\x1b[2J"


def test_names_and_words_are_cleaned_of_what_a_terminal_obeys(empty_workspace: SeededWorkspace) -> None:
    store = empty_workspace.store
    made = store.write_now(lambda tx: sections.keep(tx, HOSTILE, sections.HOUSE[0], f"tabs {HOSTILE}", by="ada"))
    assert all(word.isprintable() for word in (made.title, made.words))
    assert store.read_now(sections.read_kept) == (made,)


def test_so_is_what_was_written_past_the_screen(empty_workspace: SeededWorkspace) -> None:
    store = empty_workspace.store
    entry = {"name": HOSTILE, "section": "open", "words": HOSTILE}

    def put(tx: Transaction) -> None:
        keep_setting(tx, sections.SETTING, [entry])
        tx.event("triage.section_kept", name="", section="open", words="", by="ada")

    store.write_now(put)
    [found] = store.read_now(sections.read_kept)
    assert found.title.isprintable()
    assert found.words.isprintable()


def test_a_removed_one_does_not_come_back_over_another_of_its_name(empty_workspace: SeededWorkspace) -> None:
    store = empty_workspace.store
    mine = store.write_now(lambda tx: sections.keep(tx, "mine", sections.HOUSE[0], "tabs", by="ada"))
    store.write_now(lambda tx: sections.drop(tx, "mine", by="ada"))
    theirs = store.write_now(lambda tx: sections.keep(tx, "mine", sections.HOUSE[0], "prices", by="bob"))
    with pytest.raises(UsageError, match="another section 'mine' by now"):
        store.write_now(lambda tx: sections.put_back(tx, mine, by="ada"))
    assert store.read_now(sections.read_kept) == (theirs,)
