"""Whether the database is what we made of it: its objects, its rows against the audit, and what is declared of each."""
