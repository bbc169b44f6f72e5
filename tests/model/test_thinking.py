"""The thinking agents on a real, small model: what it judges is not looked at, what it must keep to is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.agents.bench import Bench
from core.agents.session import Alone
from core.contract import AgentRequest, AgentResponse, Json, Status
from core.orchestration.journal import check_recordable
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.shapes import shape_of
from core.store.rows import AgentRow
from tests.model.bare import BareModel
from tests.models.asked import RAW, asked
