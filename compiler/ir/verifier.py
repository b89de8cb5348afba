"""The invariants of the IR, checked between any two passes, in production too.

Here live the checks; here never lives a repair, and never a judgement of the description: what fails here is a fault
of ours. Called by `compiler.pipeline` after the front end and after every pass.
A pass mostly hands on the same schemas: with `since` (the verified value before the pass) what is identical to it is
not walked again. 700 operations with 1,100 schemas take 7 ms then, and 20 ms in full.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from typing import Any

from compiler.errors import CompilerBug
from compiler.ir.model import Api, ApiParameter, Flow, Job, Link, Operation, Resource, Schema
from workflow.documents.operations import is_method
from workflow.documents.path_queries import address_of

_LOCATIONS = frozenset(("cookie", "header", "path", "query"))
_POINTER = "#/components/schemas/"
_TEMPLATE_NAME = re.compile(r"\{([^{}]+)\}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_INTO = re.compile(r"(path|query|header|cookie)\.(?P<name>.+)\Z|body#(/.*)?\Z", re.DOTALL)
_HOLDS_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_HOLDS_NAMED = ("dependentSchemas", "patternProperties", "properties")
_HOLDS_ONE = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_NESTING = frozenset((*_HOLDS_SCHEMAS, *_HOLDS_NAMED, *_HOLDS_ONE))


def verify(api: Api, since: Api | None = None) -> None:
    """Raises CompilerBug for the first broken invariant. `since`: an `Api` that was verified before."""
    same_schemas = since is not None and since.schemas is api.schemas
    before = since if same_schemas else None
    known = {id(one) for one in before.operations} if before is not None else set()
    seen = frozenset(id(schema) for schema in _schemas_of(before)) if before is not None else frozenset()
    _check_order(api)
    if not same_schemas:
        _check_schemas(api.schemas, api.schemas)
    for operation in api.operations:
        if id(operation) not in known:
            _check_operation(operation, api.schemas, seen)
    operations = {one.key: one for one in api.operations}
    places = {place for one in api.resources for place in (one.noun, one.collection, one.item)} | {""}
    for resource in api.resources:
        _check_resource(resource, operations, places)
        if id(resource.schema) not in seen:
            _check_references(resource.schema, api.schemas, f"resource {resource.noun}")
    for job in api.jobs:
        _check_job(job, operations)
    for link in api.links:
        _check_link(link, operations)
    _check_unique((flow.id for flow in api.flows), "flow")
    for flow in api.flows:
        _check_flow(flow, operations, api.schemas)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise CompilerBug(f"the IR is broken: {what}")


def _check_unique(names: Iterable[str], kind: str) -> None:
    seen: set[str] = set()
    for name in names:
        _require(name not in seen, f"{kind} {name} stands twice")
        seen.add(name)


def _check_order(api: Api) -> None:
    order = [(one.path, one.method) for one in api.operations]
    _require(order == sorted(order), "operations are not ordered by path, then method")
    _check_unique((one.key for one in api.operations), "operation")
    _require(bool(_DIGEST.match(api.digest)), "the API has no digest")
    _require(not api.base_path.endswith("/"), f"the base path {api.base_path!r} ends with a slash")


def _schemas_of(api: Api) -> Iterator[Schema]:
    """What stands in operations and resources themselves."""
    for operation in api.operations:
        yield from _shown(operation)
    yield from (resource.schema for resource in api.resources)


def _shown(one: Operation) -> Iterator[Schema]:
    yield from (parameter.schema for parameter in one.parameters)
    yield from (response.schema for response in one.responses if response.schema is not None)
    if one.body is not None:
        yield one.body.schema


def _check_operation(one: Operation, schemas: Mapping[str, Schema], seen: Set[int]) -> None:
    _require(is_method(one.method), f"{one.key}: the method is none that is served")
    _require(one.path.startswith("/"), f"{one.key}: the path does not start with a slash")
    _require(bool(_DIGEST.match(one.digest)), f"{one.key}: no digest")
    _check_unique((f"{p.location} {p.name} of {one.key}" for p in one.parameters), "parameter")
    for parameter in one.parameters:
        _require(parameter.location in _LOCATIONS, f"{one.key}: parameter {parameter.name} is nowhere")
    _check_template(one.key, one.path, one.parameters)
    _check_unique((f"{r.status} of {one.key}" for r in one.responses), "reply")
    for schema in _shown(one):
        if id(schema) not in seen:
            _check_references(schema, schemas, one.key)


def _check_template(key: str, path: str, parameters: Iterable[ApiParameter]) -> None:
    declared = {p.name for p in parameters if p.location == "path"}
    _require(
        declared == set(_TEMPLATE_NAME.findall(address_of(path))), f"{key}: path parameters differ from the template"
    )
    needed = all(p.is_required for p in parameters if p.location == "path")
    _require(needed, f"{key}: a path parameter is optional")


def _check_schemas(checked: Mapping[str, Schema], schemas: Mapping[str, Schema]) -> None:
    for name, schema in checked.items():
        _check_references(schema, schemas, name)


def _check_references(schema: Schema, schemas: Mapping[str, Schema], owner: str) -> None:
    """Every `$ref` where a schema stands names a shared schema; examples and defaults are data and not looked at."""
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        ref = one.get("$ref")
        if ref is not None:
            known = isinstance(ref, str) and ref.startswith(_POINTER) and ref[len(_POINTER) :] in schemas
            _require(known, f"{owner}: the reference {ref!r} leads nowhere")
        if _NESTING.isdisjoint(one):
            continue
        waiting += [inner for keyword in _HOLDS_ONE if _is_schema(inner := one.get(keyword))]
        for keyword in _HOLDS_SCHEMAS:
            waiting += [inner for inner in one.get(keyword, ()) if _is_schema(inner)]
        for keyword in _HOLDS_NAMED:
            waiting += [inner for inner in one.get(keyword, {}).values() if _is_schema(inner)]


def _is_schema(value: Any) -> bool:
    return value.__class__ is dict or isinstance(value, Mapping)  # asking the abstract class takes ten times as long


def _check_resource(one: Resource, operations: Collection[str], places: Set[str]) -> None:
    named = [key for key in (one.list, one.read, one.create, one.update, one.delete) if key]
    for key in (*named, *one.actions, *one.aliases, *one.aliases.values()):
        _require(key in operations, f"resource {one.noun}: there is no operation {key!r}")
    _require(one.parent in places, f"resource {one.noun}: there is no parent {one.parent!r}")
    if one.id_parameter:
        _require(f"{{{one.id_parameter}}}" in one.item, f"resource {one.noun}: {one.item} lacks {one.id_parameter}")


def _check_job(one: Job, operations: Mapping[str, Operation]) -> None:
    for key in (*one.operations, one.poll):
        _require(key in operations, f"job {one.name}: there is no operation {key!r}")
    declared = {parameter.name for parameter in operations[one.poll].parameters}
    _require(one.parameter in declared, f"job {one.name}: {one.poll} has no parameter {one.parameter!r}")
    _require(bool(one.succeeded), f"job {one.name}: no state means success")
    _require(one.interval_s > 0 and one.timeout_s > 0, f"job {one.name}: its times are not above zero")


def _check_link(one: Link, operations: Mapping[str, Operation]) -> None:
    for key in (one.source, one.target):
        _require(key in operations, f"link: there is no operation {key!r}")
    into = _INTO.match(one.into)
    _require(into is not None, f"link to {one.target}: {one.into!r} is no place")
    _require(0 <= one.score <= 1, f"link to {one.target}: the score {one.score} is not between 0 and 1")
    if into is not None and into["name"]:
        declared = {f"{p.location}.{p.name}" for p in operations[one.target].parameters}
        _require(one.into in declared, f"link: {one.target} has no {one.into}")


def _check_flow(one: Flow, operations: Mapping[str, Operation], schemas: Mapping[str, Schema]) -> None:
    _require(bool(one.steps), f"flow {one.id}: no step")
    _require(one.goal in operations, f"flow {one.id}: there is no operation {one.goal!r}")
    _check_unique((f"{step.id} of flow {one.id}" for step in one.steps), "step")
    _check_unique((f"{given.name} of flow {one.id}" for given in one.inputs), "input")
    for step in one.steps:
        _require(step.operation in operations, f"flow {one.id}: there is no operation {step.operation!r}")
        bound = {name for name, location, _ in step.parameters if location == "path"}
        needed = set(_TEMPLATE_NAME.findall(address_of(operations[step.operation].path)))
        _require(bound == needed, f"flow {one.id}: step {step.id} binds {sorted(bound)}, the path has {sorted(needed)}")
    for source, target in one.links:
        _require(0 <= source < target < len(one.steps), f"flow {one.id}: no value flows from {source} to {target}")
    for given in one.inputs:
        _check_references(given.schema, schemas, f"flow {one.id}, input {given.name}")
