"""Whether a profile that was named is of the API that is compiled: one of another API would make a wrong API of it.

A profile names operations; where it names some and the description has none of them, it belongs to another one. What
lies beside a description is taken as it is. Called wherever a description is read with a profile.
"""

import re
from collections.abc import Iterator
from typing import Any

from compiler.errors import OtherProfileError
from compiler.ir.model import Api
from compiler.pipeline import CompileRequest
from workflow.profiles.profile import Profile

_OPERATION = re.compile(r"[A-Z]+ /\S*")


def refuse_another(api: Api, profile: Profile | None, request: CompileRequest) -> None:
    """Raises OtherProfileError where the profile that the request names is of another API."""
    if profile is None or request.profile is None:
        return
    named = set(_operations(profile.model_dump(mode="json")))
    if named and named.isdisjoint({operation.key for operation in api.operations}):
        told = f"none of the {len(named)} operations that it names is in the description of {api.title}"
        raise OtherProfileError(f"the profile is of another API, {profile.api}: {told}")


def _operations(value: Any) -> Iterator[str]:
    if isinstance(value, str) and _OPERATION.fullmatch(value):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _operations(part)
    elif isinstance(value, list):
        for part in value:
            yield from _operations(part)
