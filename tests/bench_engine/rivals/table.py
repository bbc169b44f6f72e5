"""The rivals: each in its recommended durable set-up, in a virtual environment of its own, with pinned versions."""

from __future__ import annotations

from tests.bench_engine.contestants import Contestant

_HERE = "tests.bench_engine.rivals"
_LANGGRAPH = ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2", "aiosqlite==0.22.1")

_PYTHON = (
    ("langgraph", "LangGraph graph + SQLite", "langgraph_graph", _LANGGRAPH),
    ("langgraph", "LangGraph functional API + SQLite", "langgraph_functions", _LANGGRAPH),
    ("dbos", "DBOS + SQLite", "dbos_sqlite", ("dbos==3.4.0",)),
    # The newest FastAPI has dropped a word that this Prefect still says.
    ("prefect", "Prefect", "prefect_local", ("prefect==3.8.8", "fastapi==0.139.0")),
    ("burr", "Burr + SQLite (actions one by one)", "burr_sqlite", ("apache-burr==0.43.0", "aiosqlite==0.22.1")),
    ("huey", "huey + SQLite", "huey_sqlite", ("huey==3.5.4",)),
    ("crewai", "CrewAI flows + SQLite", "crewai_flows", ("crewai==1.15.30",)),
)

RIVALS: tuple[Contestant, ...] = (
    *(
        Contestant(part, title, f"{_HERE}.{module}", packages=packages, is_rival=True)
        for part, title, module, packages in _PYTHON
    ),
    Contestant(
        "restate",
        "Restate server",
        f"{_HERE}.restate_server",
        packages=("restate-sdk==1.2.0", "hypercorn==0.18.0", "httpx==0.28.1"),
        npm=("@restatedev/restate-server@1.7.12",),
        is_rival=True,
    ),
)
