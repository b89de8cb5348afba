"""Who asks and what they may: credentials, logins, JWTs, and the table of routes and roles."""
