"""The vendor profile: what no description says of a device, as data, and its published schema."""
