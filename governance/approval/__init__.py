"""Revisions and what is decided about them: the store, its checks, the approved set, and the policy."""
