"""What there is to act on: APIs with their profiles and promises, targets, MCP servers, and files for the compiler."""
