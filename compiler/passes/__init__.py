"""The passes: pure steps that understand an API and plan its workflows.

Each module with a `run(api, options) -> Outcome` is one pass; `compiler.pipeline` has them in order. No I/O, clock,
randomness or logging here; nothing iterates over a set where order can reach the output.
"""
