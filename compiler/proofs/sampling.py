"""Inputs with which a flow is proved: things that exist on the twin, bodies that it accepts.

Walks the flow's lookups in order and asks the twin's own collections, as a client would, so that a disk is one of the
VM that was chosen. Where a collection turns out empty, the next owner is tried. Called by `proving`; changes nothing
but the state of the item that a change needs in a certain state.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from compiler.ir.model import Api, ApiParameter, Flow, FlowStep, Operation, Resource, Role
from compiler.ir.schemas import SharedSchemas
from compiler.passes.identity import says_id
from compiler.passes.names.paths import item_prefixes, shape
from compiler.twin.machine import Twin
from compiler.twin.requests.messages import TwinRequest
from compiler.twin.values.pointers import MISSING, get, listed
from workflow.documents.templates import text_of
from workflow.requests.events import Pairs

_MOST_OWNERS = 4  # owners tried before a collection counts as empty everywhere
_UPDATED = 2  # members that the proof of an update changes
_REFERENCE = re.compile(r"\$steps\.([^.]+)\.outputs\.(\w+)")
_INPUT = re.compile(r"\$inputs\.(\w+)")
Resolved = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _Choice:
    """What was chosen so far: values of inputs, and of the outputs of lookups."""

    inputs: Mapping[str, Any]
    resolved: Resolved


class InputSampler:
    def __init__(self, api: Api) -> None:
        self.schemas = SharedSchemas(api.schemas)
        self.operations = {operation.key: operation for operation in api.operations}
        self.by_item = {shape(r.item): r for r in api.resources if r.item}
        self._initial: dict[str, Any] = {}
        self._bodies: dict[tuple[str, bool], Any] = {}

    def inputs(self, flow: Flow, twin: Twin, fixed: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
        """Values for the flow's inputs. `fixed` wins; `wanted`: ids that lookups should choose, by resource noun.

        What could not be found is missing from the answer; the run then says so.
        """
        self._bodies = {}  # those that this twin accepts now: one is asked for once for each of its members
        lookups = [step for step in flow.steps if step.role is Role.LOOKUP and _asked(flow, step)]
        start = _Choice(dict(fixed), {})
        found = next(self._walk(flow, twin, lookups, start, wanted), start)
        chosen = dict(found.inputs)
        for name, source in flow.sample.items():
            if name not in chosen and "lookup" not in source:
                value = self._plain(flow, twin, name, source)
                if value is not None and _is_offered(flow, name, value):
                    chosen[name] = value
        whole = chosen | self._repeated(flow, _Choice(chosen, found.resolved))
        few = self._cut(flow, whole)
        return few if few == whole or _holds(flow, few) else whole

    def _repeated(self, flow: Flow, found: _Choice) -> dict[str, Any]:
        """Inputs by which a body has to say once more which thing the path is about: the same, and not another name."""
        same: dict[str, Any] = {}
        for step in flow.steps:
            resource = self.by_item.get(shape(step.operation.partition(" ")[2]))
            at = f"/{resource.id_field}" if resource is not None and step.role is Role.CHANGE else ""
            known = _bound(step, found)
            for given in flow.inputs if known is not None and len(at) > 1 else ():
                source = flow.sample.get(given.name, {})
                is_which = given.is_required and (source.get("body"), source.get("at")) == (step.operation, at)
                if is_which and not self._is_left_behind(source):  # else it is what the thing is to be called
                    same[given.name] = known
        return same

    def _walk(
        self, flow: Flow, twin: Twin, lookups: list[FlowStep], so_far: _Choice, wanted: Mapping[str, str]
    ) -> Iterator[_Choice]:
        if not lookups:
            yield so_far
            return
        for choice in self._candidates(flow, twin, lookups[0], so_far, wanted):
            yield from self._walk(flow, twin, lookups[1:], choice, wanted)

    def _candidates(
        self, flow: Flow, twin: Twin, step: FlowStep, so_far: _Choice, wanted: Mapping[str, str]
    ) -> Iterator[_Choice]:
        asked = _asked(flow, step)
        path = self._path(flow, twin, step, so_far)
        if path is None:
            return
        source = flow.sample[asked[-1]]["lookup"]
        items = listed(self._read_list(flow, twin, step, path, so_far, wanted), source["members"], source["element"])
        if "owner" in source:
            reference = _REFERENCE.fullmatch(source["owner"]["id"])
            owner = so_far.resolved.get((reference[1], reference[2])) if reference else None
            items = [item for item in items if str(item.get(source["owner"]["member"])) == str(owner)]
        preferred = set(wanted.values())
        ordered = sorted(
            (item for item in items if isinstance(item, dict)), key=lambda i: not preferred & set(map(str, i.values()))
        )
        for item in ordered[:_MOST_OWNERS]:
            if "inside" in source:
                yield from self._inside(flow, step, asked, item, so_far)
            else:
                inputs = {**so_far.inputs, asked[-1]: _name(item, source)}
                yield _Choice(inputs, {**so_far.resolved, (step.id, "id"): _id(item, source)})

    def _read(self, twin: Twin, path: str, wanted: Mapping[str, str]) -> Any:
        """What is at the path; read once where nothing was put into a state before, since all twins begin alike."""
        if wanted:
            return read(twin, path)
        if path not in self._initial:
            self._initial[path] = read(twin, path)
        return self._initial[path]

    def _read_list(
        self, flow: Flow, twin: Twin, step: FlowStep, path: str, so_far: _Choice, wanted: Mapping[str, str]
    ) -> Any:
        """The list as the step asks for it: with what its operation requires in the query and in headers."""
        given: dict[str, list[tuple[str, str]]] = {"query": [], "header": []}
        for name, location, value in step.parameters:
            asked, found = _INPUT.fullmatch(str(value)), _REFERENCE.fullmatch(str(value))
            if location in given and "$" not in str(value):  # `api-version=2019-03-01`: it has no other value
                given[location].append((name if location == "query" else name.lower(), text_of(value)))
            if location in given and found is not None and (found[1], found[2]) in so_far.resolved:
                given[location].append((name, str(so_far.resolved[found[1], found[2]])))
            if location in given and asked is not None and asked[1] in flow.sample:
                filled = so_far.inputs.get(asked[1]) or self._plain(flow, twin, asked[1], flow.sample[asked[1]])
                texts = filled if isinstance(filled, list) else [] if filled is None else [filled]
                given[location] += [(name if location == "query" else name.lower(), text_of(text)) for text in texts]
        if not any(given.values()) and step.payload is None:
            return self._read(twin, path, wanted)
        return read(twin, path, asking(step), tuple(given["query"]), tuple(given["header"]))

    def _inside(
        self, flow: Flow, step: FlowStep, asked: list[str], item: Mapping[str, Any], so_far: _Choice
    ) -> Iterator[_Choice]:
        part_input = next(n for n in asked if "inside" in flow.sample[n]["lookup"])
        source = flow.sample[part_input]["lookup"]
        holder_input = source["holder"]
        holder = flow.sample[holder_input]["lookup"]
        for part in item.get(source["inside"]) or []:
            inputs = {**so_far.inputs, holder_input: _name(item, holder), part_input: _name(part, source)}
            outputs = {(step.id, "id"): _id(part, source), (step.id, "holder"): _id(item, holder)}
            yield _Choice(inputs, {**so_far.resolved, **outputs})

    def _path(self, flow: Flow, twin: Twin, step: FlowStep, so_far: _Choice) -> str | None:
        """The step's path with the values chosen so far; None where one is missing."""
        path = step.operation.partition(" ")[2]
        for name, location, value in step.parameters:
            if location != "path":
                continue
            reference, given = _REFERENCE.fullmatch(str(value)), _INPUT.fullmatch(str(value))
            if reference is not None:
                filled: Any = so_far.resolved.get((reference[1], reference[2]))
            else:
                known = so_far.inputs.get(given[1]) if given else None
                filled = known or (self._plain(flow, twin, given[1], flow.sample[given[1]]) if given else None)
            if filled is None:
                return None
            path = path.replace("{" + name + "}", quote(str(filled), safe=""))
        return path

    def _plain(self, flow: Flow, twin: Twin, name: str, source: Mapping[str, Any]) -> Any:
        """The value of an input that no lookup uses: a member of an accepted body, a parameter, a file."""
        if "value" in source:
            return source["value"]
        if "content" in source:
            return "c3dpdGNoZ2Vhcg=="
        if "body" in source:
            is_update = flow.intent == "update"
            if is_update and self._says_which(flow, name, source):
                return None  # another name would be another thing
            body = self._body(twin, source["body"], is_full=is_update)
            value = get(body, source["at"])
            if value is MISSING and any(given.name == name and given.is_required for given in flow.inputs):
                value = get(self._body(twin, source["body"], is_full=True), source["at"])
            is_needed = any(given.name == name and given.is_required for given in flow.inputs)
            if (is_update and not is_needed) or self._is_left_behind(source):
                value = self._another(source, value)
            return None if value is MISSING else value
        return self._parameter(twin, source["parameter"], source["name"], flow, name)

    def _says_which(self, flow: Flow, name: str, source: Mapping[str, Any]) -> bool:
        """Whether an input that may be left out is the name by which the address knows the thing."""
        resource = self.by_item.get(shape(source["body"].partition(" ")[2]))
        is_name = resource is not None and source["at"] == f"/{resource.id_field}"
        return is_name and not any(given.name == name and given.is_required for given in flow.inputs)

    def _is_left_behind(self, source: Mapping[str, Any]) -> bool:
        """Whether the thing shows afterwards what is sent there, so that it should be another value than before."""
        leaves = self.operations[source["body"]].leaves
        return leaves is not None and source["at"] in dict(leaves.shown)

    def _body(self, twin: Twin, key: str, *, is_full: bool) -> Any:
        if (key, is_full) not in self._bodies:
            self._bodies[key, is_full] = twin.example_body(key, is_full=is_full)
        return self._bodies[key, is_full]

    def _another(self, source: Mapping[str, Any], value: Any) -> Any:
        """Another value than there is, where one is sure to be taken: else a change that is ignored goes unnoticed."""
        operation = self.operations[source["body"]]
        schema = self.schemas.at(operation.body.schema, source["at"]) if operation.body else None
        schema = self.schemas.flat(schema)
        values = self.schemas.values(schema)
        if values:
            return next((each for each in values if each not in (value, None)), value)
        if isinstance(value, bool):
            return not value
        if isinstance(value, int) and "maximum" not in schema and "multipleOf" not in schema:
            return value + 1
        names_something = says_id(source["at"].rpartition("/")[2])  # of which there need not be another
        is_free = not names_something and not {"format", "pattern", "maxLength", "const"} & schema.keys()
        return f"{value}-2" if isinstance(value, str) and value and is_free else value

    def _parameter(self, twin: Twin, key: str, parameter: str, flow: Flow, name: str) -> Any:
        operation = self.operations[key]
        declared = next((p for p in operation.parameters if p.name == parameter), None)
        kind = self.schemas.kind(declared.schema if declared else None)
        if declared is None or declared.location != "path" or kind in ("array", "object"):
            given = next(i for i in flow.inputs if i.name == name)
            return twin.example_parameter(key, parameter) if given.is_required else None
        found = self._of_an_item(twin, operation, declared)
        if found is None:
            return twin.example_parameter(key, parameter)
        is_number = kind in ("integer", "number") and str(found).lstrip("-").isdigit()
        return int(found) if is_number else found

    def _of_an_item(self, twin: Twin, operation: Operation, declared: ApiParameter) -> Any:
        """What the address of an item that there is has in this place; what the parameter itself says goes before."""
        parameter = declared.name
        for prefix, own in item_prefixes(operation.path):
            resource = self.by_item.get(shape(prefix))
            if own == parameter and resource is not None and resource.id_parameter:
                sample = twin.sample(resource.item)
                if sample is not None:
                    return sample.parameters.get(resource.id_parameter, sample.id)
        is_said = declared.example is not None or "default" in declared.schema
        return None if is_said else self._part_of_address(twin, operation.path, parameter)

    def _part_of_address(self, twin: Twin, path: str, parameter: str) -> str | None:
        """What an item's address has in the place of a parameter that is nobody's id."""
        names = [name for _, name in item_prefixes(path)]
        if parameter not in names:
            return None
        for prefix, _ in reversed(item_prefixes(path)):
            resource = self.by_item.get(shape(prefix))
            sample = twin.sample(resource.item) if resource is not None else None
            values = list(sample.parameters.values()) if sample is not None else []
            if len(values) > names.index(parameter):
                return values[names.index(parameter)]
        return None

    def _cut(self, flow: Flow, chosen: dict[str, Any]) -> dict[str, Any]:
        """For an update only a few members: what an operator does, and what the device certainly takes."""
        if flow.intent != "update":
            return chosen
        optional = [i.name for i in flow.inputs if not i.is_required and "body" in flow.sample.get(i.name, {})]
        shown = [i.name for i in flow.inputs if i.shown and i.name in optional and i.name in chosen]
        kept = set(shown[:_UPDATED] or [n for n in optional if n in chosen][:1])
        return {name: value for name, value in chosen.items() if name not in optional or name in kept}


def _holds(flow: Flow, inputs: Mapping[str, Any]) -> bool:
    """Whether these inputs go together."""
    return not flow.conditions or jsonschema_rs.is_valid({"allOf": [dict(one) for one in flow.conditions]}, inputs)


def _bound(step: FlowStep, found: _Choice) -> Any:
    """What stands in the last place of the step's path; None where it is not known."""
    values = [str(value) for _, location, value in step.parameters if location == "path"]
    reference, given = (kind.fullmatch(values[-1]) if values else None for kind in (_REFERENCE, _INPUT))
    if reference is not None:
        return found.resolved.get((reference[1], reference[2]))
    return found.inputs.get(given[1]) if given is not None else None


def _asked(flow: Flow, step: FlowStep) -> list[str]:
    """The inputs by which the step's item is named."""
    return [n for n in dict.fromkeys(_INPUT.findall(str(step.outputs))) if "lookup" in flow.sample.get(n, {})]


def _is_offered(flow: Flow, name: str, value: Any) -> bool:
    """False for values of an enumeration that this workflow does not have: another one has them."""
    values = next(given.schema.get("enum") for given in flow.inputs if given.name == name)
    return not values or value in values


def read(twin: Twin, path: str, body: Mapping[str, Any] | None = None, query: Pairs = (), headers: Pairs = ()) -> Any:
    """What is answered there; `body`: that with which a list is asked for by POST."""
    sent = (*twin.authorization(), *headers)
    if body is None:
        return twin.handle(TwinRequest("GET", path, query, sent)).body
    sent = (*sent, ("content-type", "application/json"))
    return twin.handle(TwinRequest("POST", path, query, sent, dict(body), True)).body


def read_all(twin: Twin, resource: Resource) -> Any:
    """What the list of a collection at the top answers."""
    method, _, path = resource.list.partition(" ")
    return read(twin, path, {} if method == "POST" else None)


def asking(step: FlowStep) -> Mapping[str, Any] | None:
    """The body with which a list is asked for by POST, without what a caller may add to it."""
    if step.payload is None:
        return None
    return {name: value for name, value in step.payload.items() if not _is_of_caller(value)}


def _is_of_caller(value: Any) -> bool:
    return any("$" in str(leaf) for _, leaf in leaves(value))


def _name(item: Mapping[str, Any], source: Mapping[str, Any]) -> Any:
    """What a person would call the item: its natural key, else its id."""
    keys = [] if source["is_reference"] else source["keys"]
    inner = get(item, source["inner"]) if "inner" in source else MISSING
    known = next((str(item[key]) for key in keys if item.get(key)), None)
    return known or (inner if isinstance(inner, str) and inner else None) or _id(item, source)


def _id(item: Mapping[str, Any], source: Mapping[str, Any]) -> Any:
    value = item.get(source["id"], "")
    return str(value).rstrip("/").rpartition("/")[2] if source["is_reference"] else value


def known_members(flow: Flow, step: FlowStep | None, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Members of the step's body that are known beforehand, by pointer: constants, fixed inputs, defaults."""
    defaults = {given.name: given.schema["default"] for given in flow.inputs if "default" in given.schema}
    known = {f"$inputs.{name}": value for name, value in {**defaults, **fixed}.items()}
    found = leaves(step.payload) if step is not None else []
    return {
        pointer: known.get(str(value), value)
        for pointer, value in found
        if not str(value).startswith("$") or str(value) in known
    }


def leaves(value: Any, pointer: str = "") -> list[tuple[str, Any]]:
    """Every plain value in `value` with its pointer."""
    if isinstance(value, Mapping):
        return [leaf for name, part in value.items() for leaf in leaves(part, f"{pointer}/{name}")]
    if isinstance(value, list):
        return [leaf for number, part in enumerate(value) for leaf in leaves(part, f"{pointer}/{number}")]
    return [(pointer, value)]
