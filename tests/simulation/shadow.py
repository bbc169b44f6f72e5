"""What must hold, checked event by event against a picture of the state that is made from the events alone."""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from typing import Any

from core.contract import Json
from core.store.carried import carried
from core.store.chain import GENESIS, StoredEvent, mac_of
from tests.simulation.agents import Key
from tests.unit.test_escalation_machine import Story

HIGH_IMPACT = 8
"""Above which a decision is a person's, whatever was granted; as the team's file has it."""
CLOSING = ("resolved_at", "withdrawn_at", "expired_at")


class Shadow:
    """Takes every event in its order. `violations` is what did not hold, in sentences."""

    def __init__(self, key: bytes) -> None:
        self._key, self._mac = key, GENESIS
        self.seq = 0
        self.violations: list[str] = []
        self.tables: defaultdict[str, dict[Any, Json]] = defaultdict(dict)
        self._delegations: set[Key] = set()
        self._stories: defaultdict[int, Story] = defaultdict(Story)

    def take(self, event: StoredEvent) -> None:
        payload = json.loads(event.payload)
        self._check_chain(event)
        for table, key, values in carried(payload, seq=event.seq, at=event.at, work_item=event.work_item):
            self._change(str(table), key, values)
        if event.kind.startswith("escalation.") and "escalation" in payload:
            self._tell(event.kind.removeprefix("escalation."), payload)
        self.seq, self._mac = event.seq, event.mac

    def _check(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.violations.append(f"event {self.seq + 1}: {sentence}")

    def _check_chain(self, event: StoredEvent) -> None:
        mac = mac_of(self._key, self._mac, event.seq, event.at, event.kind, event.work_item, event.payload)
        whole = event.seq == self.seq + 1 and hmac.compare_digest(mac, event.mac)
        self._check(whole, f"the chain breaks at {event.seq}")

    def _change(self, table: str, key: Any, values: Json) -> None:
        row = self.tables[table].get(key)
        if row is not None:
            if table == "escalations" and row.get("withdrawn_at") and values.get("withdrawn_at", 0) is None:
                # With the answer that had ended its work item, taken back in the same event.
                self._stories[key].is_closed = False
            row.update(values)
        else:
            self.tables[table][key] = row = dict(values)
            if table == "decisions":
                self._check_authority(row)
            elif table == "delegations":
                self._check_is_first(row)
        if table == "escalations":
            self._check_asked_once(row)
        elif table == "answers":
            self._check_answered_once(row)

    def _check_is_first(self, row: Json) -> None:
        key = (row["work_item"], row["phase"], row["round"], row["agent"], row["subject"])
        self._check(key not in self._delegations, f"{key} is recorded a second time")
        self._delegations.add(key)

    def _check_authority(self, row: Json) -> None:
        """A decision that nobody was asked about is covered by the grant in force at that moment."""
        if row["outcome"] != "decided" or row.get("provenance") != "rule" or row.get("reverses") is not None:
            return
        what = f"{row['agent']} decided {row['kind']}"
        self._check(self._is_autonomous(row["agent"], row["kind"]), f"{what} without authority")
        self._check(row["impact"] <= HIGH_IMPACT, f"{what} although its impact is {row['impact']}")
        self._check("milestone" not in row["tags"], f"{what} although it is tagged milestone")

    def _is_autonomous(self, agent: str, kind: str) -> bool:
        mine = {n: g for n, g in self.tables["authority"].items() if (g["agent"], g["kind"]) == (agent, kind)}
        if not mine:
            return False
        newest = mine[max(mine)]
        held = newest if newest.get("restores") is None else mine.get(newest["restores"])
        kinds = [k for k in self.tables["decision_kinds"].values() if (k["agent"], k["key"]) == (agent, kind)]
        may = any(k.get("is_active", True) and k.get("reversible", True) and k.get("ceiling") is None for k in kinds)
        return held is not None and held["mode"] == "autonomous" and may

    def _check_asked_once(self, row: Json) -> None:
        waiting = [
            r
            for r in self.tables["escalations"].values()
            if r["key"] == row["key"] and all(r.get(at) is None for at in CLOSING)
        ]
        self._check(len(waiting) <= 1, f"{row['question']!r} waits {len(waiting)} times")

    def _check_answered_once(self, row: Json) -> None:
        standing = [
            a
            for a in self.tables["answers"].values()
            if a["escalation"] == row["escalation"] and a.get("undone_at") is None and not a.get("late")
        ]
        self._check(len(standing) <= 1, f"escalation {row['escalation']} has {len(standing)} answers in force")

    def _tell(self, kind: str, payload: Json) -> None:
        try:
            self._stories[payload["escalation"]].take(kind, payload.get("by"))
            for merged in payload.get("merged", ()):
                self._stories[merged].is_closed = True
        except AssertionError as error:
            self._check(False, f"escalation {payload['escalation']}: {error or f'{kind} once too often'}")
