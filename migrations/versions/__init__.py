"""The migrations in order. `governance.storage.schema.HEAD` names the newest; a test compares the two."""
