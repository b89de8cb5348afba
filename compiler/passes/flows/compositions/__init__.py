"""Tasks of several changes, found by understanding what belongs together; `all.py` lists them in order."""
