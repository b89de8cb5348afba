"""The command line's entry point, and nothing else: see `switchgear.main`."""
