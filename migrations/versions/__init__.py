"""The migrations in order. `governance.schema.HEAD` names the newest; a test compares the two."""
