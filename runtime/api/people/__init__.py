"""People and what they keep for themselves: logins, users, tokens, settings and the policy in force."""
