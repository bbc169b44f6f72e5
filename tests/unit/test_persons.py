"""Who may sign as a person: nobody who is an agent, and nobody under apm's own names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance.persons import named_person
from core.governance.team import import_catalog
from core.registry.catalog import default_path, load
from core.store.schema import Agent
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(tmp_path_factory.mktemp("persons")) as opened:
        opened.write_now(lambda tx: import_catalog(tx, load(default_path())))
        yield opened


@pytest.mark.parametrize(("by", "name"), [("ada", "ada"), ("  Ada  Lovelace ", "Ada Lovelace"), ("clocky", "clocky")])
def test_a_persons_name_is_cleaned(store: Store, by: str, name: str) -> None:
    assert store.read_now(lambda r: named_person(r, by)) == name


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("", "a name is missing"),
        ("\u200b \x1b[0m", "a name is missing"),
        ("ux", "is an agent"),
        ("UX", "is an agent"),
        ("techni\u200bcal", "is an agent"),
        ("Technical Agent", "is an agent"),
        ("\uff35\uff38", "is an agent"),
        ("Agents.YAML", "the file itself"),
        ("clock", "nobody decided"),
        ("Time-out", "nobody decided"),
        ("escalation 3", "nobody decided"),
    ],
)
def test_agents_and_apm_itself_do_not_sign(store: Store, by: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        store.read_now(lambda r: named_person(r, by))


def test_an_agents_name_is_known_in_every_alphabet(tmp_path: Path) -> None:
    with fresh_store(tmp_path) as store:
        store.write_now(lambda tx: import_catalog(tx, load(default_path())))
        store.write_now(_rename)
        with pytest.raises(UsageError, match="is an agent"):
            store.read_now(lambda r: named_person(r, "\u00e4sthetik"))


def _rename(tx: Transaction) -> None:
    tx.update(Agent, tx.sql("SELECT id FROM agents WHERE role = 'ux'")[0][0], display_name="\u00c4STHETIK")
    tx.event("agents.renamed")
