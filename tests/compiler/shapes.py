"""Descriptions whose parts multiply when somebody walks through all ways: each is small, and none has to cost much.

Each function takes a size and gives a description that grows linearly with it. Used by `test_bounds`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = Any
_PLAIN = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
_KEY = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def described(paths: Mapping[str, Json], schemas: Mapping[str, Json] | None = None) -> Json:
    return {
        "openapi": "3.0.3",
        "info": {"title": "shapes", "version": "1"},
        "paths": dict(paths),
        "components": {"schemas": dict(schemas or {})},
    }


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def reply(schema: Json) -> Json:
    return {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}


def sent(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def making(schema: Json) -> Json:
    """A list, a creation and a read of things of this schema."""
    return {
        "/things": {
            "get": {"operationId": "list", "responses": reply({"type": "array", "items": schema})},
            "post": {"operationId": "make", "requestBody": sent(schema), "responses": reply(schema)},
        },
        "/things/{id}": {"get": {"operationId": "read", "parameters": [_KEY], "responses": reply(schema)}},
    }


def linked(size: int) -> Json:
    """Each schema refers to two others, which reach all."""

    def schema(number: int) -> Json:
        others = {"next": ref(f"C{(number + 1) % size}"), "far": ref(f"C{(number * 7 + 3) % size}")}
        links = {name: {"anyOf": [other, {"type": "string"}]} for name, other in others.items()}
        return {**_PLAIN, "properties": {**_PLAIN["properties"], **links}}

    paths = {
        f"/c{n}/{{id}}": {"get": {"operationId": f"g{n}", "parameters": [_KEY], "responses": reply(ref(f"C{n}"))}}
        for n in range(size)
    }
    return described(paths, {f"C{n}": schema(n) for n in range(size)})


def pairs_of(keyword: str) -> Callable[[int], Json]:
    """Levels that each apply the next one twice."""

    def made(size: int) -> Json:
        schemas = {f"L{n}": {keyword: [ref(f"L{n + 1}")] * 2} for n in range(size)}
        return described(making(ref("L0")), {**schemas, f"L{size}": _PLAIN})

    return made


def diamonds_of(keyword: str) -> Callable[[int], Json]:
    """Levels of two schemas, each of which applies both of the next level."""

    def made(size: int) -> Json:
        both = {n: [ref(f"A{n}"), ref(f"B{n}")] for n in range(size + 1)}
        schemas = {f"{side}{n}": {keyword: both[n + 1]} for n in range(size) for side in "AB"}
        return described(making(ref("A0")), {**schemas, f"A{size}": _PLAIN, f"B{size}": _PLAIN})

    return made


def properties_in_pairs(size: int) -> Json:
    """Levels of which each has two members of the next one."""
    schemas = {
        f"L{n}": {
            "type": "object",
            "required": ["l", "r"],
            "properties": {"l": ref(f"L{n + 1}"), "r": ref(f"L{n + 1}")},
        }
        for n in range(size)
    }
    return described(making(ref("L0")), {**schemas, f"L{size}": _PLAIN})


def wide_in_wide(size: int) -> Json:
    """Every schema has a required member of every other one."""
    names = [f"W{n}" for n in range(size)]
    members = {f"m{name}": ref(name) for name in names}
    schemas = {name: {"type": "object", "required": [*members][:3], "properties": members} for name in names}
    return described(making(ref("W0")), schemas)


def circles_with_discriminators(size: int) -> Json:
    """Alternatives told apart by a member, each of which holds a list of any of them."""
    names = [f"D{n}" for n in range(size)]
    any_of_them = {"oneOf": [ref(name) for name in names], "discriminator": {"propertyName": "kind"}}
    schemas = {
        name: {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"enum": [name]},
                "parts": {"type": "array", "items": ref("Any")},
                "one": ref("Any"),
            },
        }
        for name in names
    }
    return described(making(ref("Any")), {**schemas, "Any": any_of_them})


def fan_of_one_of(size: int) -> Json:
    """A member for each of many unions of many."""
    union = {"oneOf": [{"type": "object", "properties": {f"p{n}": {"type": "string"}}} for n in range(size)]}
    members = {f"u{n}": ref("Union") for n in range(size)}
    return described(making({"type": "object", "properties": members}), {"Union": union})


def deep_properties(size: int) -> Json:
    """One member in another, and the same again through references."""
    schemas: dict[str, Json] = {
        f"P{n}": {"type": "object", "required": ["in"], "properties": {"in": ref(f"P{n + 1}")}} for n in range(size)
    }
    return described(making(ref("P0")), {**schemas, f"P{size}": _PLAIN})


def huge_enumeration(size: int) -> Json:
    values = {"type": "string", "enum": [f"value-{n}" for n in range(size)]}
    schema = {**_PLAIN, "required": ["kind"], "properties": {**_PLAIN["properties"], "kind": values, "state": values}}
    action = {"operationId": "act", "parameters": [_KEY], "requestBody": sent({"properties": {"action": values}})}
    return described({**making(schema), "/things/{id}/act": {"post": {**action, "responses": reply({})}}})


def many_parameters(size: int) -> Json:
    query = [{"name": f"q{n}", "in": "query", "schema": {"type": "string"}} for n in range(size)]
    listing = {"operationId": "list", "parameters": query, "responses": reply({"type": "array", "items": _PLAIN})}
    return described({"/things": {"get": listing}})


def many_operations(size: int) -> Json:
    paths = {f"/t{n}": {"get": {"operationId": f"g{n}", "responses": reply(_PLAIN)}} for n in range(size)}
    return described(paths)


def long_example(size: int) -> Json:
    paths = making(_PLAIN)
    found = [{"id": f"i{n}", "name": f"thing {n}"} for n in range(size)]
    paths["/things"]["get"]["responses"]["200"]["content"]["application/json"]["example"] = found
    return described(paths)


def many_members(size: int) -> Json:
    members = {f"m{n}": {"type": "string"} for n in range(size)}
    return described(making({"type": "object", "required": [*members], "properties": {"id": {}, **members}}))


SHAPES: Mapping[str, tuple[Callable[[int], Json], int]] = {
    "linked": (linked, 120),
    **{f"pairs of {keyword}": (pairs_of(keyword), 24) for keyword in ("allOf", "anyOf", "oneOf")},
    **{f"diamonds of {keyword}": (diamonds_of(keyword), 24) for keyword in ("allOf", "anyOf", "oneOf")},
    "properties in pairs": (properties_in_pairs, 24),
    "wide in wide": (wide_in_wide, 60),
    "circles with discriminators": (circles_with_discriminators, 60),
    "a fan of oneOf": (fan_of_one_of, 60),
    "deep properties": (deep_properties, 200),
    "a huge enumeration": (huge_enumeration, 5_000),
    "many parameters": (many_parameters, 2_000),
    "many operations": (many_operations, 300),
    "a long example": (long_example, 5_000),
    "many members": (many_members, 1_000),
}
"""Name → (what makes it, a size at which a walk through all ways would not end, or take gigabytes)."""
