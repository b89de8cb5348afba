"""Arazzo documents: typed values, reading and writing them, and the expressions, selectors and criteria in them."""
