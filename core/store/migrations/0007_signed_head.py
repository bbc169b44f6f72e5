"""The journal's head carries a signature by the workspace's key; the one that is there gets its own here and now.

Not at the next write: from here on a head without one is a fault, and nobody can say that his is an old one. An apm
from before that still runs knows nothing of signatures: its writes are refused, so that no head of its looks forged.
"""

import hmac
from pathlib import Path

from core.store.chain import read_or_make_key

SIGNED_ALONE = """
CREATE TRIGGER "chain_head_is_signed" BEFORE UPDATE OF "seq" ON "chain_head"
WHEN NEW."signature" IS OLD."signature"
BEGIN
    SELECT RAISE(ABORT, 'a newer apm has brought it up to date: stop this apm, and start the newer one');
END
"""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "chain_head" ADD COLUMN "signature" BLOB')
    row = db.execute_sql("SELECT seq, mac FROM chain_head WHERE id = 1").fetchone()
    if row is not None:
        key = read_or_make_key(Path(db.database).with_name("journal.key"), has_journal=lambda: True)
        signature = hmac.digest(key, b"head\n%d\n" % row[0] + bytes(row[1]), "sha256")
        db.execute_sql(f"UPDATE chain_head SET signature = {db.param} WHERE id = 1", (signature,))
    db.execute_sql(SIGNED_ALONE)
