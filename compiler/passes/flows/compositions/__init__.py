"""Tasks of several changes, found by understanding what belongs together.

`all.compositions` lists them in order; each other module knows one reason why changes belong together. None of them
knows a vendor or a task by name: what differs stands in the profile.
"""
