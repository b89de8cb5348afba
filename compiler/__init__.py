"""The compiler: OpenAPI in, verified pending workflows out.

Inside it the way leads frontend → ir → passes → backend; `pipeline` has the passes in order, `verification` makes
workflows of their flows, `submission` stores them. It never imports `runtime`. See docs/ARCHITECTURE.md.
"""
