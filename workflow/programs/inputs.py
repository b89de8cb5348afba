"""The inputs of a workflow: judged by its schema before anything is sent, with defaults put in.

Here lives validation (JSON Schema 2020-12, through jsonschema-rs) and nothing of what inputs are used for. Validators
are made once, with the program. Nothing is fetched for a schema: a reference that leads out of the document is a fault.
Regular expressions in schemas run in linear time (`patterns`), since callers choose the text they run on; what that
engine does not have is not enforced, which `checks` tells. Errors never repeat a value, since it may be a secret.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import jsonschema_rs
import orjson

from workflow.documents.document import Components, Json, Workflow
from workflow.documents.schemas import as_json
from workflow.errors import DocumentError, InputError
from workflow.json.patterns import LINEAR, enforceable
from workflow.json.pointers import child, parse_pointer
from workflow.nearest import did_you_mean

if TYPE_CHECKING:
    from workflow.programs.program import Program

_MOST_VOUCHED = 64  # large values that are on their way at a time
_COMPONENT = "#/components/inputs/"
_MASK = "the value"  # what stands in messages in place of one
_MISSING = re.compile(r'"(.+)" is a required property')


@dataclass(frozen=True, slots=True)
class InputSchema:
    """A schema with its validator. `is_open`: inputs that it does not name are let through.

    `unenforced`: patterns that are not run, since no engine does that in linear time. `root`: the schema with all that
    it refers to, as JSON, for whoever judges elsewhere; what was found to fit there is told with `vouch`.
    """

    schema: Mapping[str, Json]
    components: Mapping[str, Json]
    is_open: bool
    validator: jsonschema_rs.Draft202012Validator = field(compare=False, repr=False)
    unenforced: tuple[str, ...] = ()
    root: bytes = field(default=b"", compare=False, repr=False)
    _vouched: list[bytes] = field(default_factory=list, compare=False, repr=False)

    def check(self, inputs: Mapping[str, Json]) -> Mapping[str, Json]:
        """`inputs` with defaults. Raises InputError with the pointer of the first fault."""
        given = self.completed(inputs)
        if self._vouched and _key_of(given) in self._vouched:
            return given
        try:
            self.validator.validate(given)  # the first fault alone: each costs some kilobytes
        except jsonschema_rs.ValidationError as error:
            pointer = "".join(child("", part) for part in error.instance_path)
            raise unfit(error.message, pointer) from None
        return given

    def completed(self, inputs: Mapping[str, Json]) -> Mapping[str, Json]:
        """`inputs` with defaults, of which only the names have been judged. Raises InputError."""
        _refuse_what_is_no_json(inputs)
        given = _with_defaults(inputs, self.schema, self.components)
        known = self.schema.get("properties") or {}
        for name in given:
            if name not in known and not self.is_open:
                near = did_you_mean(name, known)
                told = f"there is no input {name}; known are {', '.join(known) or 'none'}"
                raise InputError(told + ("." + near if near else ""), "inputs", child("", name))
        return given

    def vouch(self, completed: Mapping[str, Json]) -> None:
        """These were judged elsewhere, and fit: they are not judged again, wherever they turn up in this process."""
        self._vouched.append(_key_of(completed))
        del self._vouched[:-_MOST_VOUCHED]


def unfit(what: str, pointer: str) -> InputError:
    """The refusal of what the validator found at `pointer`, naming the input that it is about."""
    missing = _MISSING.fullmatch(what)
    if missing and not pointer:
        return InputError(f"the input {missing[1]} is missing; give it", "inputs", child("", missing[1]))
    if not pointer:
        return InputError(f"the inputs do not go together: {what}; give others", "inputs")
    name, *inside = parse_pointer(pointer)
    place = f"the input {name}" + (f", at {''.join(child('', part) for part in inside)}" if inside else "")
    said = what.removeprefix(_MASK) if what.startswith(_MASK + " ") else f": {what}"
    return InputError(f"{place}{said}; give a value that fits", "inputs", pointer)


def _key_of(completed: Mapping[str, Json]) -> bytes:
    return hashlib.sha256(orjson.dumps(completed, option=orjson.OPT_SORT_KEYS)).digest()


def validate_inputs(program: "Program", inputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """`inputs` as the workflow will see them, defaults put in.

    Raises InputError naming the pointer of the first one that is missing, unknown or does not fit.
    """
    return program.main.inputs.check(inputs)


def compile_inputs(workflow: Workflow, components: Components) -> InputSchema:
    """The workflow's input schema made ready. Raises DocumentError if it cannot be used."""
    declared = workflow.inputs
    root = {"$ref": "#/workflow", "workflow": {} if declared is None else declared}
    root |= {"components": {"inputs": dict(components.inputs)}}
    written = as_json(root)
    root, unenforced = enforceable(root) if b'"pattern' in written else (root, ())
    try:
        validator = jsonschema_rs.Draft202012Validator(
            root, retriever=_retrieve_nothing, pattern_options=LINEAR, mask=_MASK
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise DocumentError(f"the input schema cannot be used: {error}; correct it") from error
    schema = followed(declared if isinstance(declared, Mapping) else {}, components.inputs)
    is_open = declared is True or (
        bool(_OPEN_MEMBERS & schema.keys()) and schema.get("additionalProperties") is not False
    )
    written = as_json(root) if unenforced else written
    return InputSchema(schema, components.inputs, is_open, validator, unenforced, written)


# Members by which a schema says itself which further inputs it takes.
_OPEN_MEMBERS = {"additionalProperties", "patternProperties", "unevaluatedProperties", "allOf", "anyOf", "oneOf"}


def _retrieve_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is outside of the document; copy the schema into it")


def _refuse_what_is_no_json(inputs: Mapping[str, Json]) -> None:
    try:
        json.dumps(inputs, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"the inputs are no JSON: {error}; correct them", "inputs") from error


def followed(schema: Mapping[str, Json], components: Mapping[str, Json]) -> Mapping[str, Json]:
    """`schema`, or the component that its `$ref` names."""
    for _ in range(len(components) + 1):
        name = str(schema.get("$ref", ""))
        if not name.startswith(_COMPONENT):
            break
        found = components.get(name.removeprefix(_COMPONENT), {})
        schema = found if isinstance(found, Mapping) else {}
    return schema


def _with_defaults(
    given: Mapping[str, Json], schema: Mapping[str, Json], components: Mapping[str, Json]
) -> Mapping[str, Json]:
    """`given` with the declared defaults of absent members, also inside objects that were given."""
    filled = dict(given)
    for name, declared in (schema.get("properties") or {}).items():
        inner = followed(declared, components) if isinstance(declared, Mapping) else {}
        if name not in filled and "default" in inner:
            filled[name] = inner["default"]
        elif isinstance(filled.get(name), dict) and "properties" in inner:
            filled[name] = _with_defaults(filled[name], inner, components)
    return filled
