"""The commands of this room. Each parses, calls one function of a store, prints what came of it."""
