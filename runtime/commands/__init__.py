"""The commands of this room. Each parses, calls one function, says what came of it."""
