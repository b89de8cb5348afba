"""Devices that behave otherwise than described: the table of behaviours, and what plays them."""
