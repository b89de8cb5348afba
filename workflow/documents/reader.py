"""Reading a document: JSON in, `document.Document` out, or an error with a JSON pointer.

The verdict is that of the official schema of Arazzo 1.1, which is not part of this product; documents of 1.0 are read
by the same rules without the members that came later. Here lives structure only: whether references lead anywhere,
expressions parse and loops end is judged by `checks`. What we do not execute, AsyncAPI steps and XPath, is read.
Called by the compiler's importer, by the runtime's catalog and by tests.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TypeVar

import jsonschema_rs

from workflow.documents.document import (
    Components,
    Document,
    Info,
    Json,
    Parameter,
    Reusable,
    SourceDescription,
    Workflow,
)
from workflow.documents.reader_steps import (
    failure_action,
    failure_entry,
    outputs,
    parameter,
    parameter_entry,
    step,
    success_action,
    success_entry,
)
from workflow.documents.schemas import as_json
from workflow.errors import DocumentError
from workflow.json.members import MemberPlace, Members, elements, entries, one_of, text

T = TypeVar("T")

_VERSION = re.compile(r"1\.[01]\.[0-9]+(-[^\n\r\u2028\u2029]+)?")
_SOURCE_NAME = re.compile(r"[A-Za-z0-9_\-]+")
_COMPONENT_NAME = re.compile(r"[a-zA-Z0-9.\-_]+")


def read_document(data: Json, source: str) -> Document:
    """The document in `data`. `source` names it in errors. Raises DocumentError with the pointer of the first fault."""
    try:
        with suppress(TypeError, ValueError):  # what is no JSON is told where it stands
            as_json(data)
        version = Members(MemberPlace(data, source, ""), "an Arazzo document").take("arazzo", _version)
        return _document(MemberPlace(data, source, "", is_1_0=version.startswith("1.0.")))
    except RecursionError as error:
        raise DocumentError("the document is nested too deeply; flatten it", source) from error


def _document(place: MemberPlace) -> Document:
    root = Members(place, "an Arazzo document")
    return Document(
        arazzo=root.take("arazzo", _version),
        self_uri=root.maybe("$self", _self_uri, since_1_1=True),
        info=root.take("info", _info),
        source_descriptions=root.take("sourceDescriptions", lambda place: elements(place, _source, 1)),
        workflows=root.take("workflows", lambda place: elements(place, _workflow, 1)),
        components=root.maybe("components", _components) or Components(),
        extensions=root.close(),
    )


def _version(place: MemberPlace) -> str:
    if not isinstance(place.value, str) or not _VERSION.fullmatch(place.value):
        place.refuse("this must be the Arazzo version as a string; 1.0.x and 1.1.x are read")
    return str(place.value)


def _self_uri(place: MemberPlace) -> str:
    if "#" in text(place):
        place.refuse("$self must not have a fragment; remove # and what follows")
    return text(place)


def _info(place: MemberPlace) -> Info:
    members = Members(place, "info")
    return Info(
        title=members.take("title", text),
        version=members.take("version", text),
        summary=members.maybe("summary", text),
        description=members.maybe("description", text),
        extensions=members.close(),
    )


def _source(place: MemberPlace) -> SourceDescription:
    members = Members(place, "a source description")
    kinds = ("arazzo", "openapi") if place.is_1_0 else ("arazzo", "openapi", "asyncapi")
    return SourceDescription(
        name=members.take("name", _source_name),
        url=members.take("url", text),
        type=members.maybe("type", one_of(*kinds)),
        extensions=members.close(),
    )


def _source_name(place: MemberPlace) -> str:
    if not _SOURCE_NAME.fullmatch(text(place)):
        place.refuse("a source's name has letters, digits, _ and - only; rename it")
    return text(place)


def _workflow(place: MemberPlace) -> Workflow:
    members = Members(place, "a workflow")
    return Workflow(
        workflow_id=members.take("workflowId", text),
        summary=members.maybe("summary", text),
        description=members.maybe("description", text),
        inputs=members.maybe("inputs", _schema),
        depends_on=members.each("dependsOn", text),
        steps=members.take("steps", lambda steps: elements(steps, step, 1)),
        success_actions=members.each("successActions", success_entry),
        failure_actions=members.each("failureActions", failure_entry),
        outputs=members.maybe("outputs", outputs) or {},
        parameters=members.each("parameters", _workflow_parameter),
        extensions=members.close(),
    )


def _workflow_parameter(place: MemberPlace) -> Parameter | Reusable:
    return parameter_entry(place, needs_location=False)


def _components(place: MemberPlace) -> Components:
    members = Members(place, "components")
    return Components(
        inputs=members.maybe("inputs", lambda found: _named(found, _schema)) or {},
        parameters=members.maybe("parameters", lambda found: _named(found, parameter)) or {},
        success_actions=members.maybe("successActions", lambda found: _named(found, success_action)) or {},
        failure_actions=members.maybe("failureActions", lambda found: _named(found, failure_action)) or {},
        extensions=members.close(),
    )


def _named(place: MemberPlace, read: Callable[[MemberPlace], T]) -> dict[str, T]:
    found = entries(place, read)
    for name in found:
        if not _COMPONENT_NAME.fullmatch(name):
            place.at(name).refuse("a component's name has letters, digits, . _ and - only; rename it")
    return found


def _schema(place: MemberPlace) -> Json:
    """A JSON Schema 2020-12, judged by its metaschema."""
    error = next(iter(_metaschema().iter_errors(place.value)), None)
    if error is not None:
        for token in error.instance_path:
            place = place.at(token)
        place.refuse(f"not a JSON Schema 2020-12: {error.message}; correct it")
    return place.value


@cache
def _metaschema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
