"""Words of an API: how identifiers and paths fall apart, what a thing is called, and what tells two apart."""
