"""The library over HTTP: descriptions and profiles that the compiler is to read, as files under `/specs`, `/profiles`.

The body is the file. A new one is put without `If-Match`, one that is there is replaced or removed only by whoever
names what they have seen. Both kinds have the same four routes, made once. What a file may hold and where it lies is
`governance.registry.library`'s to say; without the setting SWITCHGEAR_LIBRARY there is no library, and everything is
404. A description is compiled by a build (`runtime.building`), which is begun here and looked up by its id.
"""

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from governance.errors import NotFoundError
from governance.registry.library import NAME, Library, Stored
from governance.registry.library_checks import Kind
from runtime.api.parts.pages import After, Limit, page_of
from runtime.api.parts.part import CallerPart, problems
from runtime.api.parts.tags import ANY, SHOWS_TAG, IfMatch, check_tag
from runtime.building import Builds

Json = Any
router = APIRouter(tags=["library"])
Name = Annotated[str, Path(pattern=NAME, description="A plain name that ends with .yaml, .yml or .json.")]
Id = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="The build's id.")]
Wait = Annotated[float, Query(ge=0, le=50, description="How many seconds its end is waited for.")]
# A description is somebody's text: a browser saves it and never shows it as a page of ours.
AS_FILE = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
JSON, YAML = "application/json", "application/yaml"
FILE: dict[str, Json] = {JSON: {"schema": {}}, YAML: {"schema": {"type": "string"}}}
BODY = {"requestBody": {"required": True, "content": FILE}}


class StoredFile(BaseModel):
    """A file of the library. `digest`: of its bytes, and in quotes its ETag."""

    name: str
    size_bytes: int
    digest: str
    changed_at: str


class BuildWanted(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    profile: Annotated[str | None, Field(pattern=NAME, description="A profile of the library; null: none.")] = None
    check: Annotated[bool, Field(description="Store nothing, and say what would change.")] = False


class BuildOut(BaseModel):
    """A build. `digests`: of the files that were compiled; `report`: how many operations, workflows, findings."""

    id: str
    spec: str
    profile: str | None
    check: bool
    digests: dict[str, str]
    by: str
    begun_at: str
    outcome: Literal["running", "succeeded", "findings", "failed", "timed out", "lost"]
    ended_at: str | None
    log: list[str]
    report: dict[str, Json]


def _library(request: Request) -> Library:
    library = request.app.state.library
    if library is None:
        raise NotFoundError("this server has no library", "set SWITCHGEAR_LIBRARY to a folder and start it again")
    assert isinstance(library, Library)
    return library


def _tag(stored: Stored) -> str:
    return f'"{stored.digest}"'


def _links(one: str) -> dict[str, Json]:
    """What can be done with a file that was put here."""
    named = {"name": "$response.body#/name"}
    tagged = {**named, "If-Match": "$response.header.ETag"}
    return {
        "links": {
            "read": {"operationId": f"read_{one}", "parameters": named},
            "replace": {"operationId": f"put_{one}", "parameters": tagged},
            "remove": {"operationId": f"remove_{one}", "parameters": tagged},
        }
    }


def _add_routes(kind: Kind, one: str) -> None:
    @router.get(f"/{kind}", name=f"list_{kind}", responses=problems(404, 422))
    async def list_files(
        request: Request, response: Response, limit: Limit = 1000, after: After = ""
    ) -> list[StoredFile]:
        found = await _library(request).list_files(kind)
        page = page_of(found, lambda each: each.name, limit, after, response, {})
        return [StoredFile(**each.to_json()) for each in page]

    @router.get(
        f"/{kind}/{{name}}",
        name=f"read_{one}",
        response_class=Response,
        responses={200: {**SHOWS_TAG, "content": FILE}, **problems(404, 422)},
    )
    async def read_file(name: Name, request: Request) -> Response:
        stored, data = await _library(request).read(kind, name)
        media_type = JSON if name.endswith(".json") else YAML
        return Response(data, media_type=media_type, headers={"etag": _tag(stored), **AS_FILE})

    @router.put(
        f"/{kind}/{{name}}",
        name=f"put_{one}",
        openapi_extra=BODY,
        responses={
            200: {**SHOWS_TAG, **_links(one)},
            201: {"model": StoredFile, **SHOWS_TAG, **_links(one)},
            **problems(404, 409, 412, 422, 428),
        },
    )
    async def put_file(
        name: Name, request: Request, caller: CallerPart, response: Response, if_match: IfMatch = None
    ) -> StoredFile:
        library = _library(request)
        seen = await _seen(library, kind, name, if_match)
        stored = await library.write(kind, name, await request.body(), seen=seen, actor=caller.name)
        response.status_code = 200 if seen else 201
        response.headers["etag"] = _tag(stored)
        return StoredFile(**stored.to_json())

    @router.delete(f"/{kind}/{{name}}", name=f"remove_{one}", status_code=204, responses=problems(404, 412, 422, 428))
    async def remove_file(name: Name, request: Request, caller: CallerPart, if_match: IfMatch = None) -> None:
        library = _library(request)
        stored, _ = await library.read(kind, name)
        check_tag(if_match, _tag(stored))
        await library.remove(kind, name, seen=stored.digest, actor=caller.name)

    list_files.__doc__ = f"The {kind} that are here, by name."
    read_file.__doc__ = f"The {one} as it was put here."
    put_file.__doc__ = f"Puts a {one} here for the compiler: a new one, or in the place of the one that If-Match names."
    remove_file.__doc__ = f"Removes the {one} that If-Match names. What was compiled from it stays."


async def _seen(library: Library, kind: Kind, name: str, if_match: str | None) -> str | None:
    """The digest of the file that is to be replaced; None where there is none, and none was named."""
    try:
        stored, _ = await library.read(kind, name)
    except NotFoundError:
        if if_match is not None:
            check_tag(if_match if if_match != ANY else "", "")
        return None
    check_tag(if_match, _tag(stored))
    return stored.digest


def _builds(request: Request) -> Builds:
    _library(request)
    builds = request.app.state.builds
    assert isinstance(builds, Builds)
    return builds


@router.post("/specs/{name}/build", status_code=202, responses=problems(404, 409, 422))
async def build_spec(
    name: Name, body: BuildWanted, request: Request, caller: CallerPart, response: Response
) -> BuildOut:
    """Compiles the description as it is now, with a profile or none, into pending workflows; `check`: says what would
    change, and stores nothing."""
    build = await _builds(request).begin(name, body.profile, caller.name, check=body.check)
    response.headers["location"] = f"/builds/{build.id}"
    return BuildOut(**build.to_json())


@router.get("/builds", responses=problems(404))
async def list_builds(request: Request) -> list[BuildOut]:
    """The newest builds, the last begun first."""
    return [BuildOut(**each.to_json()) for each in await _builds(request).list_builds()]


@router.get("/builds/{build}", responses=problems(404, 422))
async def show_build(build: Id, request: Request, wait: Wait = 0.0) -> BuildOut:
    """One build with its log; its end is waited for as long as `wait` says."""
    return BuildOut(**(await _builds(request).get(build, wait)).to_json())


for _kind in get_args(Kind):
    _add_routes(_kind, _kind.removesuffix("s"))
