"""The interpreter: one turn after the other, what is done where a fate is open, and how a run ends."""
