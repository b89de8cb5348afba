"""MCP servers of others as devices: the session, what they say of their tools, and a result as a reply."""
