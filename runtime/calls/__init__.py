"""From a caller's wish to a run, and what is told of it: target, inputs, plans, confirmation, selections."""
