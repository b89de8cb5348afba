"""What a device answered: pages, messages, versions of a value, and whether it shows what was asked for."""
