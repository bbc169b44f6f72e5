"""Lists of any length: the open questions in their order, with all that a filter looks at, in one index."""

OPEN = 'COALESCE("resolved_at", "withdrawn_at", "expired_at", "merged_into") IS NULL'
COLUMNS = (
    *("urgency", "due_at", "id", "snoozed_until", "acknowledged_until"),
    *("assigned_to", "kind", "work_item", "phase", "question"),
)


def up(migrator, db):
    columns = ", ".join(f'"{column}"' for column in COLUMNS)
    db.execute_sql(f'CREATE INDEX "escalation_open" ON "escalations" ({columns}) WHERE {OPEN}')
