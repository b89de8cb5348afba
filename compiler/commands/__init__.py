"""The commands of this room: compile, lint and diff; `mock`; `eval proposer`."""
