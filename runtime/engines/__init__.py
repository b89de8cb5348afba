"""Engines: how a run proceeds. `engine` is the port, `direct` runs in this process; a durable one can join them."""
