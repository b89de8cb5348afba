"""Which APIs ship with the product, and where their descriptions and profiles lie.

In a checkout `specs/` lies beside the rooms; the wheel carries the same folder inside the compiler's, where it is in
nobody's way: whoever has no compiler has none of them. The compiler is looked for and never loaded. Called by its
commands (`compiler.shipped`) and by the console's first page. Here never lives what is in the files.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

FOLDER = "specs"
DESCRIPTION, PROFILE = "openapi.yaml", "profile.yaml"


@cache
def folder() -> Path | None:
    """Where the shipped files lie; None without a compiler, or where somebody took them out."""
    found = find_spec("compiler")
    rooms = [Path(each) for each in (found.submodule_search_locations or ())] if found else []
    places = (place / FOLDER for room in rooms for place in (room, room.parent))
    return next((place for place in places if place.is_dir()), None)


@cache
def names() -> tuple[str, ...]:
    """The shipped APIs, sorted."""
    place = folder()
    return tuple(sorted(file.parent.name for file in place.glob(f"*/{DESCRIPTION}"))) if place else ()
