"""The front end: bytes of a description to an `Api` of the IR, under limits, offline, whatever the version.

Here lives nothing but the room's public names. Called by `compiler.pipeline` and `compiler.commands.compiling`.
What it may read is decided in `files`, how much in `limits`, in which order in `load`.
"""

from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.load import Loaded, load_api

__all__ = ["ReadLimits", "Loaded", "load_api"]
