"""The runtime: approved workflows in, MCP tools and a REST API out. Nothing runs at import."""
