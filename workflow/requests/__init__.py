"""Requests as they are sent: made from a step so that no value leaves its place; the events and commands about them."""
