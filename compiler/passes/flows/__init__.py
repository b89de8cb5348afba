"""Planning: workflows found backwards from their goal operations. `plan.run` is the pass."""
