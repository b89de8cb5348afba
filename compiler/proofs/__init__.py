"""Proof: each workflow run on the twin, as usual, when something goes wrong, and on devices that behave otherwise."""
