"""MCP: approved workflows as tools and resources, in both eras of the protocol."""
