"""Planning: workflows found backwards from their goal operations. `plan.run` is the pass.

`intents` plans the usual workflows of a resource, `compositions` the tasks of several changes; `builder` holds one
flow under construction, the other modules are the parts that both use.
"""
