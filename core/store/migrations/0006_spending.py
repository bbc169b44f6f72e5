"""A delegation's turns are kept while it runs; a call's cost says who was paid, and whether it is known."""

TURNS = """
CREATE TABLE "turns" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "work_item" INTEGER NOT NULL,
    "phase" VARCHAR(2) NOT NULL,
    "round" INTEGER NOT NULL,
    "agent" VARCHAR(64) NOT NULL,
    "subject" VARCHAR(32) NOT NULL,
    "number" INTEGER NOT NULL,
    "kind" VARCHAR(16) NOT NULL,
    "request_digest" VARCHAR(32) NOT NULL,
    "at" BIGINT NOT NULL,
    "event" INTEGER NOT NULL
)
"""

COLUMNS = (
    ("spend", "round", "INTEGER"),
    ("spend", "provider", "VARCHAR(32) NOT NULL DEFAULT ''"),
    ("spend", "model", "VARCHAR(128) NOT NULL DEFAULT ''"),
    ("spend", "input_tokens", "BIGINT"),
    ("spend", "output_tokens", "BIGINT"),
    ("spend", "cache_read_tokens", "BIGINT"),
    ("spend", "cache_write_tokens", "BIGINT"),
    ("spend", "request_id", "VARCHAR(128) NOT NULL DEFAULT ''"),
    ("spend", "is_lost", "INTEGER NOT NULL DEFAULT 0"),
    ("budgets", "phase", "VARCHAR(2)"),
    ("budgets", "agent", "VARCHAR(64)"),
    ("budgets", "subject", "VARCHAR(32)"),
    ("budgets", "escalation", "INTEGER"),
)


def up(migrator, db):
    db.execute_sql(TURNS)
    db.execute_sql(
        'CREATE UNIQUE INDEX "turn_work_item_phase_round_agent_subject_number" ON "turns" '
        '("work_item", "phase", "round", "agent", "subject", "number")'
    )
    for table, column, kind in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
