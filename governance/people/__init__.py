"""People and programs that may speak to Switchgear: principals, users, sessions, and how far each reaches."""
