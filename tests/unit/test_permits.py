"""What an agent may do by authority, in a session that is on the record; and what a person has said of it since."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.governance import reversal
from core.governance.budgets import Spender
from core.orchestration import lease, work_items
from core.orchestration.executions import Executions
from core.orchestration.lease import HeldStore
from core.orchestration.live import Live
from core.orchestration.providers import Providers
from core.orchestration.sessions import JournalSession
from core.workspace import Workspace
from tests.fresh import fresh_workspace

KIND, IMPACT, WHAT = "new_dependency", 4, "pip install leftpad"


@pytest.mark.parametrize("choice", ["refuse", None])
async def test_a_permission_that_a_person_took_back_is_not_given_again(tmp_path: Path, choice: str | None) -> None:
    workspace = Workspace.open(fresh_workspace(tmp_path / "ws"))
    store = workspace.store
    number = store.write_now(lambda tx: work_items.create(tx, title="one"))
    held = await store.write(lease.take)
    engine = HeldStore(store, lambda: held)
    spender = Spender(number, "I1", 1, "code-implementer", "T1")
    with Live(0).delegation(number, "I1", "code-implementer", "") as shown:
        session = JournalSession(
            *(engine, spender, "d" * 32, workspace.catalog, (), ("master-orchestrator",), shown),
            *(Providers(engine), Executions()),
        )
        first = await session.permit(KIND, IMPACT, WHAT)
        assert (first.allowed, first.rule) == (True, f"authority: technical decides {KIND}")
        assert (await session.permit(KIND, IMPACT, WHAT)).allowed
        store.write_now(lambda tx: reversal.reverse(tx, 1, by="ada", reason="never that package", choice=choice))
        again = await session.permit(KIND, IMPACT, WHAT)
    assert (again.allowed, again.rule) == (False, "reversal: decision 1 was taken back")
    store.close()
