"""Inputs of a flow: which members of a body the caller gives, and what is said of them."""
