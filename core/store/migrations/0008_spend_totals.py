"""What archived work has cost is kept by day."""

TABLE = """
CREATE TABLE "spend_totals" (
    "day" INTEGER NOT NULL PRIMARY KEY,
    "taken_cost" REAL NOT NULL,
    "taken_tokens" BIGINT NOT NULL,
    "cost" REAL NOT NULL,
    "tokens" BIGINT NOT NULL,
    "calls" INTEGER NOT NULL,
    "unpriced" INTEGER NOT NULL,
    "lost" INTEGER NOT NULL
)
"""


def up(migrator, db):
    db.execute_sql(TABLE)
