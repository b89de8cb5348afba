"""Hostile descriptions, made when they are needed: name → bytes, and what the verdict must be.

Called by `test_bombs.py` alone. REFUSED must end with exit code 3 and a word of the reason; KEPT must load, with the
operation `/kept` or more of them. Both within the time and memory of THREATS.md row B4.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
Maker = Callable[[], bytes]


@dataclass(frozen=True)
class Bomb:
    """`word`: a part of the refusal's message; empty where the description must load."""

    name: str
    suffix: str
    make: Maker
    word: str = ""


def api(**more: Any) -> dict[str, Any]:
    paths = {"/kept": {"get": {"responses": {"200": {"description": "ok"}}}}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}


def as_json(**more: Any) -> bytes:
    return json.dumps(api(**more)).encode()


def around(inner: str) -> bytes:
    """A JSON description with `inner` as the value of an extension."""
    return (as_json().decode()[:-1] + ', "x-bomb": ' + inner + "}").encode()


def with_schema(schema: Any, **components: Any) -> bytes:
    reply = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return as_json(paths={"/kept": {"get": {"responses": {"200": reply}}}}, components={"schemas": components})


def yaml(inner: str) -> bytes:
    return (
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
        "paths: {/kept: {get: {responses: {'200': {description: ok}}}}}\n" + inner
    ).encode()


def laughs(levels: int, width: int, opening: str, closing: str, item: str) -> bytes:
    lines = [f"x-0: &a0 {opening}{item.format(0, 'lol')}{closing}"]
    for level in range(1, levels):
        inner = ", ".join(item.format(number, f"*a{level - 1}") for number in range(width))
        lines.append(f"x-{level}: &a{level} {opening}{inner}{closing}")
    return yaml("\n".join(lines) + "\n")


def chain(length: int) -> dict[str, Any]:
    return {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(length)} | {f"S{length}": {}}


def operations(count: int) -> bytes:
    item = {"get": {"operationId": "same", "responses": {"200": {"description": "ok"}}}}
    return as_json(paths={f"/kept/{number}": item for number in range(count)})


def merges(levels: int) -> bytes:
    lines = ["x-0: &m0 {" + ", ".join(f"k{n}: {n}" for n in range(2000)) + "}"]
    lines += [f"x-{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 50)}]}}" for n in range(1, levels)]
    return yaml("\n".join(lines) + "\n")


def many_gaps(count: int) -> bytes:
    properties = {f"p{n}": {"$ref": f"#/components/schemas/None{n}"} for n in range(count)}
    return with_schema({"properties": properties})


JSON_BOMBS = (
    Bomb("empty file", ".json", lambda: b"", "not a mapping"),
    Bomb("white space only", ".json", lambda: b" \n\t" * 1000, "not"),
    Bomb("mark only", ".json", lambda: b"\xef\xbb\xbf", "not a mapping"),
    Bomb("lists 100k deep", ".json", lambda: b"[" * 100_000, "deeper"),
    Bomb("lists 100k deep, closed", ".json", lambda: b"[" * 100_000 + b"]" * 100_000, "deeper"),
    Bomb("mappings 100k deep", ".json", lambda: b'{"a":' * 100_000, "deeper"),
    Bomb("mappings 500 deep, closed", ".json", lambda: around('{"a":' * 500 + "1" + "}" * 500), "deeper"),
    Bomb("lists 101 deep", ".json", lambda: around("[" * 100 + "]" * 100), "deeper"),
    Bomb("lists 90 deep", ".json", lambda: around("[" * 90 + "]" * 90)),
    Bomb("50 MB of spaces", ".json", lambda: b" " * (50 * MIB), "bytes"),
    Bomb("50 MB of text", ".json", lambda: around('"' + "x" * (50 * MIB) + '"'), "bytes"),
    Bomb("30 MB of text", ".json", lambda: around('"' + "x" * (30 * MIB) + '"')),
    Bomb("a key of 10 MB", ".json", lambda: around('{"' + "k" * (10 * MIB) + '": 1}')),
    Bomb("NaN", ".json", lambda: around("NaN"), "NaN"),
    Bomb("Infinity", ".json", lambda: around("Infinity"), "Infinity"),
    Bomb("minus Infinity", ".json", lambda: around("-Infinity"), "Infinity"),
    Bomb("1e400", ".json", lambda: around("1e400"), "beyond"),
    Bomb("a number of 100k digits", ".json", lambda: around("9" * 100_000), "digits"),
    Bomb("a number of 5 million digits", ".json", lambda: around("-" + "9" * 5_000_000), "digits"),
    Bomb("a fraction of a million digits", ".json", lambda: around("0." + "9" * 1_000_000), "characters"),
    Bomb("a key twice", ".json", lambda: around('{"a": 1, "a": 2}'), "twice"),
    Bomb("a key twice at the top", ".json", lambda: around('1, "openapi": "3.0.0"'), "twice"),
    Bomb("a key twice, once escaped", ".json", lambda: around('{"a": 1, "\\u0061": 2}'), "twice"),
    Bomb("half a surrogate pair", ".json", lambda: around('"\\ud800"'), "surrogate"),
    Bomb("half a surrogate pair as key", ".json", lambda: around('{"\\udfff": 1}'), "surrogate"),
    Bomb("a whole surrogate pair", ".json", lambda: around('"\\ud83d\\ude00"')),
    Bomb("Latin-1", ".json", lambda: around('"é"').replace("é".encode(), b"\xe9"), "UTF-8"),
    Bomb("overlong UTF-8", ".json", lambda: around('"@"').replace(b"@", b"\xc0\x80"), "UTF-8"),
    Bomb("UTF-16 with a mark", ".json", lambda: as_json().decode().encode("utf-16")),
    Bomb("UTF-16 without a mark", ".json", lambda: as_json().decode().encode("utf-16-le"), "not"),
    Bomb("UTF-32", ".json", lambda: as_json().decode().encode("utf-32"), "UTF-8"),
    Bomb("UTF-8 with a mark", ".json", lambda: b"\xef\xbb\xbf" + as_json()),
    Bomb("zero bytes", ".json", lambda: b"\0" * 100_000, "not"),
    Bomb("compressed bytes", ".json", lambda: b"\x1f\x8b\x08\0\0\0\0\0" + bytes(range(256)) * 100, "UTF-8"),
    Bomb("cut off", ".json", lambda: as_json()[:-5], "not JSON"),
    Bomb("two documents", ".json", lambda: as_json() * 2, "not JSON"),
    Bomb("a number", ".json", lambda: b"42", "not a mapping"),
    Bomb("a list", ".json", lambda: b"[]", "not a mapping"),
    Bomb("a million empty mappings", ".json", lambda: around("[" + "{}," * 1_000_000 + "0]"), "values"),
    Bomb("700k empty mappings", ".json", lambda: around("[" + "{}," * 700_000 + "0]")),
    Bomb("ten million numbers", ".json", lambda: around("[" + "1," * 10_000_000 + "0]"), "values"),
    Bomb("a million keys", ".json", lambda: around("{" + ",".join(f'"{n}":0' for n in range(1_000_000)) + "}")),
    Bomb("a million mappings of one", ".json", lambda: around("[" + '{"a":0},' * 740_000 + "0]")),
)

YAML_BOMBS = (
    Bomb("a billion laughs in lists", ".yaml", lambda: laughs(12, 10, "[", "]", "{1}"), "aliases"),
    Bomb("a billion laughs in mappings", ".yaml", lambda: laughs(12, 10, "{", "}", "k{0}: {1}"), "aliases"),
    Bomb(
        "one large list 10k times",
        ".yaml",
        lambda: yaml("x-0: &a [" + "1, " * 10_000 + "0]\nx-1: [" + "*a, " * 10_000 + "0]\n"),
        "aliases",
    ),
    Bomb("aliases within reason", ".yaml", lambda: laughs(4, 10, "[", "]", "{1}")),
    Bomb("an alias of itself", ".yaml", lambda: yaml("x-0: &a [*a]\n"), "holds itself"),
    Bomb("aliases of each other", ".yaml", lambda: yaml("x-0: &a {b: &b {a: *a}}\n"), "holds itself"),
    Bomb("an alias of nothing", ".yaml", lambda: yaml("x-0: *nothing\n"), "no anchor"),
    Bomb("an alias nested too deep", ".yaml", lambda: laughs(120, 1, "[", "]", "{1}"), "deeper"),
    Bomb("a list as key", ".yaml", lambda: yaml("? [a]\n: 1\n"), "key"),
    Bomb("an alias of a list as key", ".yaml", lambda: yaml("x-0: &a [1]\nx-1: {*a : 1}\n"), "key"),
    Bomb("merges that double", ".yaml", lambda: merges(30), "values"),
    Bomb("a merge of text", ".yaml", lambda: yaml("x-0: {<<: text}\n"), "mappings"),
    Bomb("a merge of itself", ".yaml", lambda: yaml("x-0: &a {<<: *a}\n"), "holds itself"),
    Bomb("flow lists 100k deep", ".yaml", lambda: yaml("x-0: " + "[" * 100_000), "deeper"),
    Bomb("flow mappings 100k deep", ".yaml", lambda: yaml("x-0: " + "{a: " * 100_000), "deeper"),
    Bomb("block lists 100k deep", ".yaml", lambda: yaml("x-0:\n " + "- " * 100_000), "deeper"),
    Bomb("questions 100k deep", ".yaml", lambda: yaml("? " * 100_000), "key"),
    Bomb("indented 3k deep", ".yaml", lambda: yaml("".join(" " * n + "a:\n" for n in range(3_000))), "deeper"),
    Bomb("a Python object", ".yaml", lambda: yaml("x-0: !!python/object/apply:os.system ['true']\n"), "tag"),
    Bomb("a Python name", ".yaml", lambda: yaml("x-0: !!python/name:os.system ''\n"), "tag"),
    Bomb("a tag of its own", ".yaml", lambda: yaml("x-0: !secret x\n"), "tag"),
    Bomb("a binary tag", ".yaml", lambda: yaml("x-0: !!binary aGk=\n"), "tag"),
    Bomb("a timestamp tag", ".yaml", lambda: yaml("x-0: !!timestamp 2024-01-01\n"), "tag"),
    Bomb("a set tag", ".yaml", lambda: yaml("x-0: !!set {a, b}\n"), "tag"),
    Bomb("an integer tag on text", ".yaml", lambda: yaml("x-0: !!int many\n"), "tag"),
    Bomb("a tag on a key", ".yaml", lambda: yaml("!own x-0: 1\n"), "tag"),
    Bomb("core tags", ".yaml", lambda: yaml("x-0: !!map {a: !!int 1, b: !!seq [!!str 2, !!bool true]}\n")),
    Bomb("not a number", ".yaml", lambda: yaml("x-0: .nan\n"), "not a number"),
    Bomb("minus infinity", ".yaml", lambda: yaml("x-0: -.inf\n"), "not a number"),
    Bomb("1e999", ".yaml", lambda: yaml("x-0: 1e999\n"), "beyond"),
    Bomb("an integer of 100k digits", ".yaml", lambda: yaml("x-0: " + "9" * 100_000 + "\n"), "digits"),
    Bomb("a hexadecimal of 100k digits", ".yaml", lambda: yaml("x-0: 0x" + "f" * 100_000 + "\n"), "digits"),
    Bomb("a YAML key twice", ".yaml", lambda: yaml("x-0: 1\nx-0: 2\n"), "twice"),
    Bomb("a YAML key twice by alias", ".yaml", lambda: yaml("x-0: {&a b: 1, *a : 2}\n"), "twice"),
    Bomb("two YAML documents", ".yaml", lambda: yaml("---\nopenapi: 3.0.0\n"), "several"),
    Bomb("100k YAML documents", ".yaml", lambda: b"---\na\n" * 100_000, "several"),
    Bomb("YAML of 17 MB", ".yaml", lambda: yaml("# " + "x" * (17 * MIB) + "\n"), "YAML"),
    Bomb("a comment of 10 MB", ".yaml", lambda: yaml("# " + "x" * (10 * MIB) + "\n")),
    Bomb("a million short lines", ".yaml", lambda: yaml("x-0:\n" + "- 1\n" * 1_000_000), "values"),
    Bomb("a million flow lists", ".yaml", lambda: yaml("x-0: [" + "[]," * 1_000_000 + "]"), "values"),
    Bomb("100k anchors", ".yaml", lambda: yaml("x-0:\n" + "".join(f"- &a{n} {n}\n" for n in range(100_000)))),
    Bomb("an anchor name of 5 MB", ".yaml", lambda: yaml("x-0: &" + "a" * (5 * MIB) + " 1\n")),
    Bomb("tabs", ".yaml", lambda: yaml("x-0:\n\t- 1\n"), "not YAML"),
    Bomb("NUL in a text", ".yaml", lambda: yaml("x-0: a\x00b\n"), "not YAML"),
    Bomb("an open quote of 10 MB", ".yaml", lambda: yaml('x-0: "' + "x\n" * (5 * MIB)), "not YAML"),
    Bomb("an escaped half surrogate", ".yaml", lambda: yaml('x-0: "\\ud800"\n'), "not YAML"),
    Bomb("1000 tag directives", ".yaml", lambda: b"%TAG !a! tag:x,1:\n" * 1000, "not YAML"),
)

MEANING_BOMBS = (
    Bomb("nothing said", ".json", lambda: b"{}", "neither"),
    Bomb("another version", ".json", lambda: as_json(openapi="9.9"), "9.9"),
    Bomb("a Swagger 1.2 document", ".json", lambda: b'{"swaggerVersion": "1.2"}', "Swagger 1"),
    Bomb("20,001 operations", ".json", lambda: operations(20_001), "operations"),
    Bomb("5,000 operations of one id", ".json", lambda: operations(5_000)),
    Bomb("20k references in a row", ".json", lambda: with_schema({"$ref": "#/components/schemas/S0"}, **chain(20_000))),
    Bomb(
        "50k shared schemas",
        ".json",
        lambda: with_schema({"$ref": "#/components/schemas/S0"}, **chain(50_000)),
        "shared",
    ),
    Bomb(
        "references in a circle",
        ".json",
        lambda: with_schema(
            {"$ref": "#/components/schemas/A"},
            A={"$ref": "#/components/schemas/B"},
            B={"$ref": "#/components/schemas/A"},
        ),
    ),
    Bomb(
        "pointers through circles",
        ".json",
        lambda: with_schema(
            {"$ref": "#/components/schemas/A/x/y/z"},
            A={"$ref": "#/components/schemas/B/x"},
            B={"$ref": "#/components/schemas/A/y"},
        ),
    ),
    Bomb("50k gaps", ".json", lambda: many_gaps(50_000)),
    Bomb(
        "30k missing files",
        ".json",
        lambda: with_schema({"properties": {f"p{n}": {"$ref": f"f{n}.yaml#/x"} for n in range(30_000)}}),
        "references to files",
    ),
    Bomb("100k alternatives", ".json", lambda: with_schema({"anyOf": [{"type": "string"}] * 100_000})),
    Bomb("an enumeration of 300k", ".json", lambda: with_schema({"enum": list(range(300_000))})),
    Bomb("a pattern that backtracks", ".json", lambda: with_schema({"pattern": "^(a+)+$"})),
    Bomb("a pattern that multiplies", ".json", lambda: with_schema({"pattern": "((a{1,1000}){1,1000}){1,1000}"})),
    Bomb("a pattern of a megabyte", ".json", lambda: with_schema({"pattern": "(a|b)*" * 200_000})),
    Bomb(
        "500 slow patterns",
        ".json",
        lambda: with_schema({"anyOf": [{"pattern": f"^\\p{{L}}{{1,{n}}}$"} for n in range(100, 600)]}),
    ),
    Bomb("5,000 patterns", ".json", lambda: with_schema({"anyOf": [{"pattern": f"^a{n}$"} for n in range(5_000)]})),
    Bomb(
        "a path of 100k braces",
        ".json",
        lambda: as_json(paths={"/kept": {"get": {}}, "/" + "{" * 100_000: {"get": {}}}),
    ),
    Bomb(
        "50k parameters",
        ".json",
        lambda: as_json(
            paths={"/kept": {"get": {"parameters": [{"name": f"p{n}", "in": "query"} for n in range(50_000)]}}}
        ),
    ),
    Bomb(
        "a pointer of 200k steps",
        ".json",
        lambda: with_schema({"$ref": "#" + "/properties/a" * 100_000}),
    ),
    Bomb(
        "all refer to all",
        ".json",
        lambda: with_schema(
            {"$ref": "#/components/schemas/S0"},
            **{f"S{n}": {"anyOf": [{"$ref": f"#/components/schemas/S{m}"} for m in range(300)]} for n in range(300)},
        ),
    ),
)


def all_bombs() -> Iterable[Bomb]:
    return (*JSON_BOMBS, *YAML_BOMBS, *MEANING_BOMBS)
