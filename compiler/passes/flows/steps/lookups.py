"""Lookups: how a step's path parameters, and the members of its body that name other things, get their values.

People say `web-01`, not an id: the collection is listed once and the item selected whose natural key or id is what
the caller gave; none and several are refused before anything is changed. A collection of bare addresses is selected
by the last segment. Where the API has no list, the caller gives the id.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from compiler.ir.model import FlowStep, Input, Operation, Resource, Role, Schema
from compiler.passes.flows.context import address, noun_of
from compiler.passes.flows.inputs.input_texts import BESIDE
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.pages import inside
from compiler.passes.identity import is_a_name, is_called_by_id, says_id, takes_name, word_of_id
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, parameter_of, segments, shape

if TYPE_CHECKING:
    from compiler.passes.flows.builder import Builder


_VERSIONED = re.compile(r"^v\d+(?=[A-Z])")  # `{v1ClusterNode}`: which version of the API has it first


def path_parameters(builder: "Builder", operation: Operation, lookup_item: bool = True) -> list[tuple[str, str, Any]]:
    """(name, `path`, expression) for every path parameter of `operation`, lookups added as needed."""
    bound: list[tuple[str, str, Any]] = []
    seen: set[str] = set()
    for prefix, name in item_prefixes(operation.path):
        if operation.key == builder.goal.key and name in builder.fixed_parameters:
            bound.append((name, "path", builder.fixed_parameters[name]))
            continue
        resource = builder.context.needed_by(operation.key, f"path.{name}")
        is_named = resource is not None and is_called_by_id(resource) and not builder.context.is_single(resource)
        if resource is not None and lookup_item and not is_named and not takes_name(operation, name):
            # A second one of the same kind in one address is another thing: `…/{id}/moveAfter/{newPreviousId}`.
            said = [word for word in words.split(name) if not says_id(word)]
            purpose = "_".join(said) if address(resource) in seen else ""
            purpose = "other" if purpose and purpose == noun_of(resource) else purpose
            seen.add(address(resource))
            bound.append((name, "path", identify(builder, resource, purpose)))
            continue
        known = _known_parameter(builder, prefix)
        bound.append((name, "path", known or _given_id(builder, operation, prefix, name)))
    return bound


def _known_parameter(builder: "Builder", prefix: str) -> str:
    resource = builder.context.by_item.get(shape(prefix))
    return builder.known.get((address(resource), ""), "") if resource else ""


def _given_id(builder: "Builder", operation: Operation, prefix: str, name: str) -> str:
    is_one = bool(parameter_of(prefix.rpartition("/")[2]))
    slot = (f"given {shape(prefix)}" if is_one else f"given {shape(prefix)} {name}", "")
    if slot in builder.known:
        return builder.known[slot]
    resource = builder.context.by_item.get(shape(prefix))
    if resource is not None and segments(resource.item)[:1] != segments(prefix)[:1]:
        resource = (
            None  # `/{aws_mount}/roles/{name}` and `/{azure_mount}/roles/{name}` have one shape, and no thing in common
        )
    is_above = resource is not None and "parent" == name != resource.id_parameter  # `/v1/{parent}`, beside `/v1/{name}`
    if resource is not None and (is_above or _only_sorts(operation.path, prefix, name, resource)):
        resource, is_one = None, False
    meant = builder.context.needed_by(operation.key, f"path.{name}")
    if resource is not None and meant is not None and meant.id_parameter == name != resource.id_parameter:
        resource = meant  # the plan that a job is started by, at the address of jobs
    parameter = next((p for p in operation.parameters if p.name == name and p.location == "path"), None)
    written, name = name, _VERSIONED.sub("", name)
    own = words.snake(name)
    what = _thing(resource, name)
    told = words.first_sentence(BESIDE.sub("", parameter.description)) if parameter else ""
    plain = words.spoken(name)
    said = f"Id of the {what}." if is_one or says_id(name) else f"{plain[:1].upper()}{plain[1:]}."  # `{id}.{format}`
    if is_one and is_a_name(name):
        said = f"Name of the {what}."
    elif (
        is_one and not says_id(name) and words.split(name)[-1:] not in [(word,) for word in (*words.split(what), "id")]
    ):
        said = f"{plain[:1].upper()}{plain[1:]} of the {what}."
    said = told if _says_more(told, written) else said
    if resource is not None and takes_name(operation, name):
        own, said = noun_of(resource), f"Name or id of the {what}."
    elif resource is not None and is_called_by_id(resource):
        own, said = noun_of(resource), f"{'Id' if resource.is_id_told else 'Name'} of the {what}."
    elif resource is not None and (says_id(name) or own in ("name", "key")):
        plain = words.snake(resource.id_of) if resource.id_of else words.singular(noun_of(resource))
        noun, last = plain, own.rpartition("_")[2]
        own = noun if noun.rpartition("_")[2] == last else f"{noun}_{last}"
    schema = {"type": _kind(builder, parameter.schema if parameter else None)}
    sample = {"parameter": operation.key, "name": parameter.name if parameter else name}
    builder.known[slot] = builder.add_input(Input(own, schema, True, said), sample)
    return builder.known[slot]


def _kind(builder: "Builder", schema: Schema | None) -> str:
    """Of what kind an id is that stands in an address: a text where it may be one, whatever else it may be."""
    said = builder.context.schemas.flat(schema)
    kinds = said.get("type")
    options = [builder.context.schemas.kind(option) for option in builder.context.schemas.choice(said)[1]]
    may_be_text = "string" in (*(kinds if isinstance(kinds, list | tuple) else ()), *options)
    return "string" if may_be_text else builder.context.schemas.kind(schema) or "string"


def _only_sorts(path: str, prefix: str, name: str, resource: Resource) -> bool:
    """Whether `{type}` of `/volumes/{type}/{volume}` says of which kind the thing is that stands behind it."""
    behind = parameter_of(path.removeprefix(prefix).removeprefix("/").partition("/")[0])
    own = words.singulars(resource.noun)
    is_behind = bool(behind) and (is_a_name(behind) or not own.isdisjoint(words.split(behind)))
    return is_behind and own.isdisjoint(words.split(name)) and not (says_id(name) or is_a_name(name))


def _thing(resource: Resource | None, name: str) -> str:
    """What an id or a name is of: `{pool_name}` is the name of a pool, and what stands at `roles-by-id` is a role."""
    if resource is not None:
        return resource.id_of or resource.name.removesuffix(" by ID")
    said = words.spoken(name).split(" ")
    return " ".join(said[:-1] if len(said) > 1 and is_a_name(name) else said)


def _says_more(text: str, name: str) -> bool:
    """False for a description that only repeats the parameter's name or its address."""
    plain = {*words.split(name), "parameter", "path", "the", "of", "for", "a", "id"}
    return bool(text) and "{" not in text and not set(words.split(text)) <= plain


def identify(builder: "Builder", resource: Resource, purpose: str = "") -> str:
    """The expression of the id of the item of `resource` that the caller names; the lookup is made once a purpose."""
    slot = (address(resource), purpose)
    if slot not in builder.known:
        holder = builder.context.holders.get(address(resource))
        if holder is not None and not purpose:
            builder.known[slot] = _look_inside(builder, resource, *holder)
        else:
            builder.known[slot] = _look_up(builder, resource, purpose)
    return builder.known[slot]


def _look_up(builder: "Builder", resource: Resource, purpose: str) -> str:
    parameters = path_parameters(builder, builder.operation(resource.source))
    return f"$steps.{look_up(builder, resource, purpose, parameters)}.outputs.id"


def look_up(
    builder: "Builder", resource: Resource, purpose: str, parameters: Sequence[tuple[str, str, Any]], shows: str = ""
) -> str:
    """The id of the step that finds the item which the caller names. With `shows` it gives out the `item`, too, and as
    `known` that member of it.
    """
    operation = builder.operation(resource.source)
    owner = builder.context.owner_of(resource) if not purpose else None
    owner_id = identify(builder, owner) if owner is not None else ""
    asked = _asked_for(builder, resource, purpose, owner=owner, owner_id=owner_id)
    base = queries.listed(resource)
    wanted = condition(builder, resource, asked, is_optional=owner is not None)
    if owner is not None:
        wanted = f"@{queries.of_listed(resource, resource.known_by)} == '{{{owner_id}}}' && ({wanted})"
    step_id = builder.free_step_id(f"find_{_called(resource, purpose)}")
    step = FlowStep(
        id=step_id,
        operation=operation.key,
        role=Role.LOOKUP,
        description=f"Find the {resource.name} that is meant.",
        parameters=tuple(parameters),
        outputs={"id": queries.selector(f"{base}[?{wanted}]{queries.of_listed(resource, resource.id_field)}")}
        | (_shown(resource, f"{base}[?{wanted}]", shows) if shows else {}),
        success=(queries.OK, _exactly_one(base, f"{base}[?{wanted}]")),
        failures=_refusals(resource, asked, base, f"{base}[?{wanted}]"),
        transforms={"id": "last_path_segment"} if resource.references else {},
        pages=inside(resource),
    )
    builder.add_step(step, f"lists {words.plural(resource.name)} to turn the name or id that was given into the id")
    if not purpose:
        builder.lookups[resource.noun] = step_id
    return step_id


def _shown(resource: Resource, query: str, member: str) -> dict[str, Any]:
    places = {"item": queries.of_listed(resource), "known": queries.of_listed(resource, member)}
    return {name: queries.selector(f"{query}{place}") for name, place in places.items()}


def _look_inside(builder: "Builder", part: Resource, holder: Resource, member: str) -> str:
    """Both ids from one list: the holder's items carry their parts."""
    operation = builder.operation(holder.list)
    parameters = path_parameters(builder, operation)
    asked_holder, asked = _asked_for(builder, holder, ""), _asked_for(builder, part, "", holder, member)
    base = queries.listed(holder)
    of_holder = f"{base}[?{condition(builder, holder, asked_holder)}]"
    bare = replace(part, element_at="")  # what wraps it in a list of its own does not wrap it here
    of_part = f"{of_holder}{queries.of_listed(holder, member)}[?{condition(builder, bare, asked)}]"
    step_id = builder.free_step_id(f"find_{noun_of(part)}")
    step = FlowStep(
        id=step_id,
        operation=operation.key,
        role=Role.LOOKUP,
        description=f"Find the {part.name} that is meant, among those of the {holder.name}.",
        parameters=tuple(parameters),
        outputs={
            "id": queries.selector(f"{of_part}{queries.child(part.id_field)}"),
            "holder": queries.selector(f"{of_holder}{queries.of_listed(holder, holder.id_field)}"),
        },
        success=(queries.OK, _exactly_one(base, of_part), _exactly_one(base, of_holder)),
        failures=(
            *_refusals(holder, asked_holder, base, of_holder, is_present_fine=True),
            *_refusals(part, asked, base, of_part),
        ),
    )
    builder.add_step(step, f"each {holder.name} in the list carries its {words.plural(part.name)}")
    builder.lookups[holder.noun] = step_id
    builder.known[(address(holder), "")] = f"$steps.{step_id}.outputs.holder"
    return f"$steps.{step_id}.outputs.id"


def _asked_for(
    builder: "Builder",
    resource: Resource,
    purpose: str,
    holder: Resource | None = None,
    member: str = "",
    owner: Resource | None = None,
    owner_id: str = "",
) -> str:
    """The name of the input by which the caller says which item is meant."""
    single = builder.context.is_single(resource) or owner is not None
    name = _called(resource, purpose)
    schema: dict[str, Any] = {"type": "string"}
    if builder.context.schemas.kind(id_schema(builder, resource)) == "integer":
        schema = {"type": ["string", "integer"]}
    if single:
        schema["default"] = ""
    inner = resource.inner_name.rpartition("/")[2].lower()
    own = [] if resource.id_field in resource.natural_keys else [word_of_id(resource)]
    keys = " or ".join((*map(words.spoken, resource.natural_keys), *([inner] if inner else []), *own))
    of = f" of the {owner.name}" if owner else ""
    is_told = not purpose or purpose.endswith(noun_of(resource))
    what = resource.name.removeprefix("own ") if is_told else f"{words.spoken(purpose)} {resource.name}"
    text = f"{keys[0].upper()}{keys[1:]} of the {what}" + (
        f"; leave it out where there is only one{of}." if single else "."
    )
    source: dict[str, Any] = {"list": resource.source, "members": resource.members, "keys": [*resource.natural_keys]}
    source |= {"id": resource.id_field, "is_reference": bool(resource.references), "element": resource.element_at}
    source |= {"inner": resource.inner_name} if resource.inner_name else {}
    if owner is not None:
        source |= {"owner": {"member": resource.known_by, "id": owner_id}}
    if holder is not None:
        source |= {"list": holder.list, "members": holder.members, "inside": member, "holder": noun_of(holder)}
        source["element"] = holder.element_at
    return builder.input_name(Input(name, schema, not single, text), {"lookup": source})


def _called(resource: Resource, purpose: str) -> str:
    """`disk`, `target_disk`; a purpose that says the noun already does not say it again."""
    noun = noun_of(resource).removeprefix("own_")
    return noun if not purpose else purpose if purpose.endswith(noun) else f"{purpose}_{noun}"


def id_schema(builder: "Builder", resource: Resource) -> Any:
    return builder.context.schemas.members(resource.schema).get(resource.id_field)


def condition(builder: "Builder", resource: Resource, asked: str, is_optional: bool = False) -> str:
    """The filter that holds for the item that the input `asked` names, for any when it may be left out and is."""
    value = f"'{{$inputs.{asked}}}'"
    id_place = "@" + queries.of_listed(resource, resource.id_field)
    if resource.references:
        ways = [f"match({id_place}, '.*/{{$inputs.{asked}}}/?')", f"{id_place} == {value}"]
    else:
        ways = [f"@{queries.of_listed(resource, key)} == {value}" for key in resource.natural_keys]
        if resource.inner_name:
            inner = queries.of_listed(resource) + queries.from_pointer(resource.inner_name)
            ways.append(f"@{inner} == {value}")
        ways.append(f"{id_place} == {value}")  # also of numbers: devices type ids otherwise than they describe them
    if is_optional or builder.context.is_single(resource):
        ways.insert(0, f"{value} == ''")
    return queries.any_of(list(dict.fromkeys(ways)))


def _exactly_one(base: str, query: str) -> dict[str, Any]:
    return queries.jsonpath(queries.counted(base, query, "== 1"))


def _refusals(
    resource: Resource, asked: str, base: str, query: str, is_present_fine: bool = False
) -> tuple[dict[str, Any], ...]:
    """Failure actions: several match, then none. `is_present_fine`: one match here is no reason to end."""
    several = {
        "name": f"several_{noun_of(resource)}",
        "type": "end",
        "criteria": [queries.jsonpath(queries.counted(base, query, "> 1"))],
        "x-switchgear": {
            "code": "ambiguous",
            "message": f"More than one {resource.name} is called “{{$inputs.{asked}}}”; give the id.",
        },
    }
    missing: dict[str, Any] = {
        "name": f"no_{noun_of(resource)}",
        "type": "end",
        "criteria": [queries.OK],
        "x-switchgear": {"code": "not_found", "message": f"There is no {resource.name} “{{$inputs.{asked}}}”."},
    }
    if is_present_fine:
        missing["criteria"].append(queries.jsonpath(queries.counted(base, query, "== 0")))
    return several, missing


def states_sequence(states: Sequence[str]) -> str:
    return ", ".join(states[:-1]) + f" or {states[-1]}" if len(states) > 1 else states[0]
