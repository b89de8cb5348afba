"""The database as such: its tables, its one writer, its schema, its clock, and locks between processes."""
