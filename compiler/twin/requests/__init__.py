"""A request on its way through the twin: read, matched, checked and answered."""
