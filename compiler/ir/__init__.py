"""The intermediate representation: values (`model`), their printed form, their invariants.

Here lives nothing but the room's name: import from the modules. What the compiler knows of an API is in these values.
"""
