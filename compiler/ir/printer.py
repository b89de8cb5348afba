"""The one printed form of the IR: a line for each operation, resource, job, link, schema, and a flow with its steps.

Here lives text only; nothing here decides. `--dump-after PASS` prints it and golden tests compare it, so it is stable:
equal values print equal text. Digests are left out, since they follow from the rest and would make every golden text
change with every word of a description.
A line starts with its kind; `*` marks what is required; a schema is its component's name or compact JSON.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from compiler.ir.model import (
    ActionPostcondition,
    Api,
    ApiParameter,
    Body,
    Diagnostic,
    Flow,
    FlowStep,
    Input,
    Job,
    Link,
    Operation,
    Paging,
    Resource,
    Response,
    Schema,
)

_POINTER = "#/components/schemas/"


def print_api(api: Api) -> str:
    """The whole of `api` as text that ends with a line feed."""
    return "".join(f"{line}\n" for line in _lines(api))


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """One line for each diagnostic, as `--dump-after` and golden tests show them."""
    return "".join(f"{one.severity.value} {one.code} {one.pointer}: {one.message}\n" for one in diagnostics)


def _lines(api: Api) -> Iterator[str]:
    told = (
        _named("version", api.version),
        _named("base", api.base_path),
        _named("around", ",".join(sorted(api.around))),
    )
    yield _join("api", api.name, _quoted(api.title), *told)
    for scheme in api.security:
        yield f"security {scheme}"
    yield from (_operation(one) for one in api.operations)
    yield from (f"schema {name} {_json(api.schemas[name])}" for name in sorted(api.schemas))
    yield from (_resource(one) for one in api.resources)
    yield from (_job(one) for one in api.jobs)
    yield from (_link(one) for one in api.links)
    for flow in api.flows:
        yield from _flow(flow)


def _operation(one: Operation) -> str:
    return _join(
        "operation",
        one.key,
        _named("effect", one.effect),
        _named("risk", one.risk),
        _named("because", _quoted(one.risk_reason)),
        _leaves(one.leaves) if one.leaves is not None else "",
        "idempotent" if one.is_idempotent else "",
        "deprecated" if one.is_deprecated else "",
        _named("left-out", _quoted(one.left_out)),
        _named("id", one.operation_id),
        _named("tags", ",".join(one.tags)),
        _quoted(one.summary),
        f"({', '.join(_parameter(p) for p in one.parameters)})" if one.parameters else "",
        _body(one.body) if one.body else "",
        f"-> {' | '.join(_response(r) for r in one.responses)}" if one.responses else "",
    )


_LISTS = (("with", "put_in"), ("without", "taken_out"))


def _leaves(one: ActionPostcondition) -> str:
    sent = [f"{place} as {source} was sent" for source, place in one.shown]
    against = f", not {_json(list(one.against))}" if one.against else ""
    held = [f"{place}={_json(value)}{against}" for place, value in one.held]
    lists = [f"{place} {has} {source}" for has, one_way in _LISTS for source, place in getattr(one, one_way)]
    said = f"; {'plainly ' if one.is_plain else ''}assumed" if one.is_assumed else ""
    return f"leaves({', '.join((*sent, *held, *lists))}{said})"


def _parameter(one: ApiParameter) -> str:
    usual = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}[one.location]
    style = one.style if one.style != usual else ""
    exploded = "" if one.explode == (one.style == "form") else ("exploded" if one.explode else "joined")
    star = "*" if one.is_required else ""
    return _join(f"{one.location} {one.name}{star}:", schema_text(one.schema), style, exploded, _example(one.example))


def _body(one: Body) -> str:
    star = "*" if one.is_required else ""
    parts = _named("parts", _json(one.parts) if one.parts else "")
    return _join(f"body{star} {one.media_type}", schema_text(one.schema), parts, _example(one.example))


def _response(one: Response) -> str:
    schema = "" if one.schema is None else schema_text(one.schema)
    return _join(one.status, one.media_type, schema, _named("headers", ",".join(one.headers)), _example(one.example))


def _resource(one: Resource) -> str:
    texts = ("collection", "item", "id_parameter", "id_field", "list", "read", "create", "update", "delete", "parent")
    return _join(
        "resource",
        one.noun,
        _quoted(one.name),
        *(_named(name, getattr(one, name)) for name in texts),
        _named("id_of", one.id_of),
        _named("keys", ",".join(one.natural_keys)),
        _named("inner_name", one.inner_name),
        _named("known_by", one.known_by),
        _named("actions", ",".join(one.actions)),
        _named("members", one.members),
        _named("references", one.references),
        "item-is-list" if one.item_is_list else _named("item_at", one.item_at),
        _named("element_at", one.element_at),
        _named("single", one.single),
        _named("synonyms", ",".join(one.synonyms)),
        _named("aliases", ",".join(f"{alias}={target}" for alias, target in sorted(one.aliases.items()))),
        _paging(one.paging) if one.paging is not None else "",
        _named("schema", schema_text(one.schema) if one.schema else ""),
    )


def _paging(one: Paging) -> str:
    size = f":{one.size_parameter}={one.size}" if one.size_parameter else ""
    return f"pages={one.by}:{one.parameter}{one.at}{size}"


def _job(one: Job) -> str:
    return _join(
        "job",
        one.name,
        f"handle={one.handle_within}:{one.handle_at}",
        "address" if one.handle_is_address else "",
        _named("statuses", ",".join(map(str, one.statuses))),
        "empty-means-done" if one.empty_means_done else "",
        f"poll={one.poll}",
        f"parameter={one.parameter}",
        f"state={one.state}",
        *(_named(name, ",".join(getattr(one, name))) for name in ("waiting", "succeeded", "failed")),
        *(_named(f"well{at}", ",".join(values)) for at, values in one.succeeded_if),
        *(_named(f"used{at}", ",".join(values)) for at, values in one.used),
        _named("fault", one.fault),
        _named("message", one.message),
        _named("created", one.created_id),
        _named("result", one.result),
        f"every={one.interval_s:g}s",
        f"within={one.timeout_s:g}s",
        _named("operations", ",".join(one.operations)),
    )


def _link(one: Link) -> str:
    made, needed = f"{one.source} {one.at}", f"{one.target} {one.into}"
    return f"link {made} => {needed} score={one.score:.2f} {_quoted(one.evidence)}"


def _flow(one: Flow) -> Iterator[str]:
    yield _join(
        "flow",
        one.id,
        f"intent={one.intent}",
        f"risk={one.risk}",
        f"goal={one.goal}",
        _named("resource", one.resource),
        "core" if one.is_core else "",
        f"rank={one.rank:g}",
        _quoted(one.title),
    )
    yield from (f"  input {_input(given)}" for given in one.inputs)
    if one.identifies is not None:
        yield f"  identifies {_json(one.identifies)}"
    yield from (f"  step {number} {_step(step)}" for number, step in enumerate(one.steps))
    yield from (f"  output {name} = {_json(one.outputs[name])}" for name in sorted(one.outputs))
    if one.links:
        yield "  links " + ", ".join(f"{source}->{target}" for source, target in one.links)
    yield from (f"  why {reason}" for reason in one.why)


def _input(one: Input) -> str:
    return _join(f"{one.name}{'*' if one.is_required else ''}:", schema_text(one.schema), "" if one.shown else "hidden")


def _step(one: FlowStep) -> str:
    return _join(
        f"{one.id} {one.role} {one.operation}",
        *(f"{location}.{name}={_json(value)}" for name, location, value in one.parameters),
        _named("payload", "" if one.payload is None else _json(one.payload)),
        _named("omits", " ".join(one.omits)),
        _named("outputs", _json(one.outputs) if one.outputs else ""),
        _named("success", _json(list(one.success)) if one.success else ""),
        _named("branches", _json(list(one.branches)) if one.branches else ""),
        _named("failures", _json(list(one.failures)) if one.failures else ""),
        _named("transforms", _json(one.transforms) if one.transforms else ""),
        _named("address", one.address),
        _named("renamed", one.renamed),
        _named("moved", one.moved),
        _named("placed", _json(one.placed) if one.placed else ""),
        _named("parts", _json(one.parts) if one.parts else ""),
        _named("version", _json(one.version) if one.version else ""),
    )


def schema_text(schema: Schema) -> str:
    """A bare reference as the name it leads to, anything else as compact JSON with sorted keys."""
    ref = schema.get("$ref")
    if isinstance(ref, str) and len(schema) == 1 and ref.startswith(_POINTER):
        return ref.removeprefix(_POINTER)
    return _json(schema)


def _example(value: Any) -> str:
    return "" if value is None else f"example={_json(value)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def _named(name: str, value: Any) -> str:
    return f"{name}={value}" if value not in (None, "") else ""


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
