"""JSON as such: its canonical form, pointers into it, patterns that cannot hang, and what judging a value costs."""
