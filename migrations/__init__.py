"""The database's migrations, shipped with the wheel: `switchgear db upgrade` runs them.

`alembic.ini` at the root is for those who write the next one. One file a migration under `versions/`, named by
its number; a released one is never edited. What models cannot say, triggers among it, stands in the migration that
makes it. Here never lives code that the product calls.
"""
