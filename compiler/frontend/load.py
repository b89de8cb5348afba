"""From a path to an `Api`: the order in which the front end's parts do their work.

Here live the steps and what concerns the description as a whole: name, base path, security, digests, the findings
that count over all operations. Here never lives parsing, resolving or reading of single objects.
Called by `compiler.pipeline` and the commands. DESIGN.md, "Compiling".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from compiler.frontend.documents.dialect import Dialect, require_dialect
from compiler.frontend.documents.files import Root, read_given
from compiler.frontend.documents.limits import DEFAULT_LIMITS, ReadLimits
from compiler.frontend.documents.overlay import apply_overlay
from compiler.frontend.documents.parse import parse_document
from compiler.frontend.documents.references import SourceDocuments, SourcePlace
from compiler.frontend.findings import Findings
from compiler.frontend.formats import without_formats
from compiler.frontend.openapi3 import OpenApi3Reader
from compiler.frontend.operations import OperationReader
from compiler.frontend.schemas.closure import components, cut_endless, gaps_by_operation, schema_digests, unwind_unions
from compiler.frontend.schemas.composition import MOST_APPLIED, bound_composition
from compiler.frontend.schemas.reading import Bundle, Collector
from compiler.frontend.schemas.shapes import mapping, sequence, text
from compiler.frontend.swagger2 import Swagger2Reader
from compiler.ir.model import Api, Body, Diagnostic, Operation, Schema
from workflow.json.canonical import digest
from workflow.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Loaded:
    """The API as the description says it, and what had to be repaired, assumed or left out."""

    api: Api
    diagnostics: tuple[Diagnostic, ...]


def load_api(
    path: Path,
    *,
    root: Path | None = None,
    profile: Profile | None = None,
    overlay: Path | None = None,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Loaded:
    """The description at `path` in normal form, every readable operation kept.

    References are followed below `root` alone (default: the description's folder); nothing is fetched.
    Raises SpecError (not a description), LimitError (beyond `limits`), OverlayError.
    """
    findings = Findings()
    parsed = parse_document(read_given(path, limits.json_bytes), path.name, limits)
    data = parsed.data
    if parsed.repaired:
        findings.warning("characters-repaired", path.name, parsed.repaired, "save the file without them")
    if overlay is not None:
        data = apply_overlay(data, overlay, findings, limits)
    dialect = require_dialect(data, path.name)
    library = SourceDocuments(Root(root or path.resolve().parent, limits), limits)
    main = library.open_main(path, data, dialect)
    api = _read(main, library, profile, findings, limits)
    return Loaded(api, findings.sorted())


def _read(
    main: SourcePlace, library: SourceDocuments, profile: Profile | None, findings: Findings, limits: ReadLimits
) -> Api:
    collector = Collector(library, findings, limits)
    if main.document.dialect is Dialect.SWAGGER_2:
        parts: Any = Swagger2Reader(library, collector, findings, main)
    else:
        parts = OpenApi3Reader(library, collector, findings)
    operations = OperationReader(library, collector, parts, findings, limits).read(main)
    bundle = collector.finish(one.key for one in operations)
    unwind_unions(bundle.schemas)
    for name in cut_endless(bundle.schemas):
        findings.warning("schema-endless", f"schema {name}", "applies to itself; the reference is cut")
    for owner in bound_composition(bundle.schemas, {one.key: _own_schemas(one) for one in operations}):
        message = f"more than {MOST_APPLIED} schemas apply to one value; what is beyond takes any value"
        findings.warning("schema-multiplies", owner, message, "say it with fewer schemas inside one another")
    strong = components(bundle.inner)
    tried = findings.contained.tried
    tried(main.document.name, partial(_report_gaps, bundle, strong, findings), None)
    tried(main.document.name, partial(_report_operations, operations, main, findings), None)
    digests = schema_digests(bundle, strong, findings.contained)
    maybe = (tried(one.key, partial(_signed, one, bundle, digests), None) for one in operations)
    signed = tuple(one for one in maybe if one is not None)
    return _api(main, signed, bundle, profile, findings)


def _api(
    main: SourcePlace, operations: tuple[Operation, ...], bundle: Bundle, profile: Profile | None, findings: Findings
) -> Api:
    info = mapping(mapping(main.value).get("info"))
    title = text(info.get("title")).strip() or Path(main.document.name).stem
    version = text(info.get("version"))
    if not operations:
        findings.error("no-operations", f"{main.document.name}#/paths", "the description has no operation")
    content = {"title": title, "version": version, "operations": sorted(one.digest for one in operations)}
    return Api(
        name=profile.api if profile else _slug(title),
        title=title,
        version=version,
        digest=digest(content),
        base_path=base_path(main.value, profile),
        operations=without_formats(operations),
        schemas=bundle.schemas,
        security=security(main.value),
    )


def base_path(data: Any, profile: Profile | None) -> str:
    """What stands before every path: from the profile, else from the first server or `basePath`; never ends in `/`."""
    if profile is not None and profile.base_path is not None:
        return profile.base_path.rstrip("/")
    if "swagger" in data:
        return _as_path(text(data.get("basePath")))
    server = mapping(next(iter(sequence(data.get("servers"))), None))
    url = text(server.get("url"))
    for name, variable in sorted(mapping(server.get("variables")).items()):
        url = url.replace(f"{{{name}}}", text(mapping(variable).get("default")))
    try:
        return _as_path(urlsplit(url.strip()).path)
    except ValueError:
        return ""


def _as_path(written: str) -> str:
    path = "/" + written.strip().strip("/")
    return "" if path == "/" or "{" in path else path


def security(data: Any) -> tuple[str, ...]:
    """The ways to show who asks, as words: `basic`, `bearer`, `api_key header X-Auth-Token`, …; required ones first."""
    schemes = mapping(mapping(data.get("components")).get("securitySchemes")) or mapping(
        data.get("securityDefinitions")
    )
    required = [name for one in sequence(data.get("security")) for name in sorted(mapping(one))]
    ordered = dict.fromkeys([*(name for name in required if name in schemes), *sorted(schemes)])
    return tuple(dict.fromkeys(_scheme(mapping(schemes[name])) for name in ordered))


def _scheme(scheme: Mapping[str, Any]) -> str:
    kind = text(scheme.get("type"))
    if kind == "http":
        return text(scheme.get("scheme")).lower() or "basic"
    if kind == "apiKey":
        return f"api_key {text(scheme.get('in'))} {text(scheme.get('name'))}"
    return kind or "unknown"


_SAYS_NOTHING = re.compile(
    r"\b(the|rest|restful|api|apis|openapi|swagger|specification|reference|documentation|v?[\d.]+)\b"
)


def _slug(title: str) -> str:
    plain = _SAYS_NOTHING.sub(" ", re.sub(r"\([^)]*\)|(?<=\w)['’]s\b", " ", title.lower()))
    words = re.sub(r"[^a-z0-9]+", "-", plain if re.search("[a-z]", plain) else title.lower()).strip("-")
    words = words if words[:1].isalpha() else f"api-{words}".rstrip("-")
    whole = words[:33].rpartition("-")[0] if len(words) > 32 else words
    return whole or words[:32]


def _signed(one: Operation, bundle: Bundle, schemas: Mapping[str, str]) -> Operation:
    """The operation with its digest: over what was read, and the digests of the schemas that are reached."""
    content = {
        "method": one.method,
        "path": one.path,
        "operation_id": one.operation_id,
        "summary": one.summary,
        "description": one.description,
        "tags": list(one.tags),
        "parameters": [_fields(parameter) for parameter in one.parameters],
        "body": _body(one.body) if one.body else None,
        "responses": [_fields(response) for response in one.responses],
        "deprecated": one.is_deprecated,
        "schemas": sorted({schemas[name] for name in bundle.uses[one.key]}),
    }
    return replace(one, digest=digest(content))


def _body(one: Body) -> dict[str, Any]:
    """Without the parts that it does not have: few bodies are multipart."""
    return {name: value for name, value in _fields(one).items() if name != "parts" or value}


def _own_schemas(one: Operation) -> tuple[Schema, ...]:
    """What stands in the operation itself, not behind a reference."""
    found = [parameter.schema for parameter in one.parameters] + [one.body.schema if one.body else None]
    found += [response.schema for response in one.responses]
    return tuple(schema for schema in found if schema is not None)


def _fields(part: Any) -> dict[str, Any]:
    """The members of a flat frozen value; faster by ten than `dataclasses.asdict`, which copies schemas."""
    values = {name: getattr(part, name) for name in part.__slots__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _report_gaps(bundle: Bundle, strong: Iterable[tuple[str, ...]], findings: Findings) -> None:
    for (code, file, reason), (references, count) in gaps_by_operation(bundle, strong).items():
        shown = ", ".join(references[:3]) + (f" and {len(references) - 3} more" if len(references) > 3 else "")
        kept = "1 operation is kept" if count == 1 else f"{count} operations are kept"
        message = f"{shown} {reason}; {kept} with any value in its place"
        remedy = "put the file below --root" if code.startswith("file") else "correct the reference"
        findings.warning(code, file, message, remedy)


def _report_operations(operations: tuple[Operation, ...], main: SourcePlace, findings: Findings) -> None:
    """What can only be seen over all operations."""
    paths = f"{main.document.name}#/paths"
    unnamed = sum(1 for one in operations if not one.operation_id)
    if unnamed:
        findings.note("operation-id-missing", paths, f"{unnamed} of {len(operations)} operations have no operationId")
    for name, keys in _groups((one.operation_id, one.key) for one in operations if one.operation_id):
        shown = ", ".join(keys)[:200]
        findings.note("operation-id-twice", paths, f"{name[:80]!r} names {len(keys)} operations: {shown}")
    different = dict.fromkeys(one.path for one in operations)
    for _, alike in _groups((re.sub(r"\{[^{}]*\}", "{}", path), path) for path in different):
        findings.note("path-ambiguous", paths, f"cannot be told apart by a server: {', '.join(alike)[:200]}")


def _groups(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """What several of the pairs have in common, with the second parts."""
    found: dict[str, list[str]] = {}
    for common, own in pairs:
        found.setdefault(common, []).append(own)
    return ((common, found[common]) for common in sorted(found) if len(found[common]) > 1)
