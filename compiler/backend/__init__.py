"""The back end: flows written down as Arazzo 1.1 documents.

Nothing is decided here; what is written was planned by `compiler.passes.flows` and is judged by `workflow.checks`.
"""
