"""A workflow made ready to run, its inputs, and the state of a run of it."""
