"""The demonstration: the whole way of two vendors' descriptions, told in chapters. Run by ./demo.sh.

Uses the command line, HTTP and MCP as any user would and imports none of the product's packages, so that what it shows
is what users get. Nothing imports it; it is not part of the wheel.
"""
