"""The demonstration: the whole way of two vendors' descriptions, told in chapters. Run by `switchgear demo`.

Uses the command line, HTTP and MCP as any user would and imports none of the product's packages, so that what it shows
is what users get. The command line loads it by name when it is asked for; nothing else imports it.
"""
