"""Values and schemas: whether one fits, and one that does."""
