"""Measurements. Each file is a program: `.venv/bin/python -m bench.NAME` prints JSON on standard output and a table on
standard error. Results worth keeping are written by hand into docs/MEASUREMENTS.md, with date and machine.

No network besides the loopback address. Nothing of the product imports this.
"""
