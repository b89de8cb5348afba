"""Whoever comes: how they log in, who they are here, and, for admins, who may what."""
