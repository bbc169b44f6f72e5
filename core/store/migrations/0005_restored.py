"""A grant may put an elder one in force again, as it was."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "authority" ADD COLUMN "restores" INTEGER')
