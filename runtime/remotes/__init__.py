"""MCP servers of others: what their tools are here, and how it is noticed that they changed."""
