"""The steps around a change: lookups, states before and after, waiting, and what has to hold in the end."""
