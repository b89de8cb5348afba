"""Schemas of every dialect to JSON Schema 2020-12, bounded, each shared one once."""
