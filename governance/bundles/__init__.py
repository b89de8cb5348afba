"""Approved revisions in one signed file, for machines that no network reaches: format, keys, export and import.

`docs/BUNDLES.md` is the format's page. Here never lives what may be approved: an import goes through the one table of
transitions, the seals and the audit like every other decision.
"""
