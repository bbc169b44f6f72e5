"""Agents say what they know, whom they serve, what brings them in and what they may use; counters say when last.

Files that apm wrote are known by a manifest beside them, so no table lists them.
"""

COLUMNS = (
    ("agents", "technologies", "TEXT NOT NULL DEFAULT '[]'"),
    ("agents", "serves", "TEXT NOT NULL DEFAULT '[]'"),
    ("agents", "selection", "TEXT NOT NULL DEFAULT '{}'"),
    ("agents", "tools", "TEXT NOT NULL DEFAULT '[]'"),
    ("agents", "skill", "BOOLEAN NOT NULL DEFAULT FALSE"),
    ("counters", "last_at", "BIGINT NOT NULL DEFAULT 0"),
)


def up(migrator, db):
    for table, column, kind in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    db.execute_sql('ALTER TABLE "agents" DROP COLUMN "last_used_at"')
    db.execute_sql('DROP TABLE "generated_files"')
