"""Bytes to documents: files in one folder, parsed under limits, with references and overlays."""
