"""The published JSON Schema of the profile format, made from the typed form.

Here lives how `specs/profile.schema.json` is written, for editors that complete and check a `profile.yaml`. What a
field means is said at the field, in `workflow.profiles.profile`. `python -m workflow.profiles.profile_schema` prints
the file's text; a test keeps the two equal. JSON Schema 2020-12.
"""

import json
from collections.abc import Mapping
from typing import Any

from workflow.profiles.profile import Profile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """The schema of a whole profile, without the titles that only repeat the fields' names."""
    schema = _without_titles(Profile.model_json_schema())
    return {"$schema": DIALECT, "title": "Switchgear profile", **schema}


def schema_text() -> str:
    return json.dumps(profile_schema(), indent=2, ensure_ascii=False) + "\n"


def _without_titles(node: Any) -> Any:
    if isinstance(node, Mapping):
        # A schema's title is text; a field called `title` is a schema.
        return {k: _without_titles(v) for k, v in node.items() if k != "title" or not isinstance(v, str)}
    return [_without_titles(one) for one in node] if isinstance(node, list) else node


if __name__ == "__main__":
    print(schema_text(), end="")
