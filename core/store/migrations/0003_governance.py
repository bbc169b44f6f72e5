"""Questions have a clock, decisions a topic and a reversal, answers what undid them, notices how often they came."""

COLUMNS = (
    ("escalations", "next_at", "BIGINT"),
    ("escalations", "expires_at", "BIGINT"),
    ("escalations", "breaches", "INTEGER NOT NULL DEFAULT 0"),
    ("escalations", "note", "TEXT NOT NULL DEFAULT ''"),
    ("answers", "attention_seconds", "REAL"),
    ("answers", "undone_by", "TEXT"),
    ("answers", "undo_reason", "TEXT"),
    ("decisions", "topic", "TEXT NOT NULL DEFAULT ''"),
    ("decisions", "conflict", "INTEGER"),
    ("decisions", "reverses", "INTEGER"),
    ("decisions", "reason", "TEXT NOT NULL DEFAULT ''"),
    ("decisions", "decided_by", "TEXT"),
    ("conflicts", "key", "VARCHAR(64) NOT NULL DEFAULT ''"),
    ("conflicts", "phase", "VARCHAR(2)"),
    ("conflicts", "provenance", "VARCHAR(16)"),
    ("conflicts", "decided_by", "TEXT"),
    ("scope_proposals", "clarification", "TEXT"),
    ("scope_proposals", "undone_at", "BIGINT"),
    ("scope_proposals", "undone_by", "TEXT"),
    ("notifications", "urgency", "VARCHAR(16)"),
    ("notifications", "repeats", "INTEGER NOT NULL DEFAULT 0"),
    ("schedules", "error", "TEXT NOT NULL DEFAULT ''"),
)

INDEXES = (
    ("escalation_next_at", "escalations", '"next_at"'),
    ("escalation_merged_into", "escalations", '"merged_into"'),
    ("conflict_work_item_id", "conflicts", '"work_item", "id"'),
    ("conflict_key", "conflicts", '"key"'),
    ("conflict_escalation", "conflicts", '"escalation"'),
)

OPEN_QUESTIONS = """
UPDATE "escalations" SET "next_at" = "due_at"
WHERE "resolved_at" IS NULL AND "withdrawn_at" IS NULL AND "expired_at" IS NULL AND "merged_into" IS NULL
"""
# Their clocks start with the first look at them.


def up(migrator, db):
    for table, column, kind in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    db.execute_sql(OPEN_QUESTIONS)
    for name, table, columns in INDEXES:
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ({columns})')
