"""What is served: one snapshot of all that is approved, what watches for the next, and what a caller finds in it."""
