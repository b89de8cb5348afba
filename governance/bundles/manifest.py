"""What a bundle says: the signed manifest, and the lines of its members, as values that are checked when they are read.

Pydantic stands here because a bundle comes from outside. Every object is read strictly, written again and compared
(RFC 8785), so that unknown members, duplicate keys, other spellings of a number and line breaks of another kind are
all one fault. The digests of revisions and profiles are recomputed, and what is to be served must be executable.
Here never lives a signature (`envelope`) nor a database (`exporting`, `importing`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.bundles.archive import KNOWLEDGE, PROFILES, REPLIES, REVISIONS, SBOM, SIGNED
from governance.errors import BundleError, BundleFormError
from workflow.documents.reader import read_document
from workflow.errors import CanonicalError, WorkflowError
from workflow.json.canonical import canonical_bytes, digest
from workflow.profiles.profile import parse_profile
from workflow.programs.program_making import build_program
from workflow.revision import RevisionContent
from workflow.risks import RiskName

FORMAT = 1
# What every card of an operation says.
CARD = {"operation", "does", "thing", "risk", "why", "takes", "tells", "workflows"}
FOREIGN = "do not use it: ask whoever made it for a new export"
MAX_VERSION = 2**53 - 1

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(max_length=300)]
Voter = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z$")]
L = TypeVar("L", bound="Line")


class Line(BaseModel):
    """One JSON object in its one form: a line of a member, or the manifest."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, data: bytes, where: str) -> Self:
        """Raises BundleFormError that names `where`, and the member at fault."""
        try:
            line = cls.model_validate_json(data)
            if line.to_bytes() == data:
                return line
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise BundleFormError(f"{where} cannot be read: {place}: {first['msg']}", FOREIGN) from error
        except CanonicalError as error:
            raise BundleFormError(f"{where} has no canonical form: {error.message}", FOREIGN) from error
        raise BundleFormError(f"{where} is not canonical JSON (RFC 8785)", FOREIGN)

    def to_bytes(self) -> bytes:
        return canonical_bytes(self.model_dump(mode="json"))


class ApiLine(Line):
    name: Text
    title: Text
    version: Text
    spec_digest: Text
    profile_digest: Digest | None


class Manifest(Line):
    """`level` is the newest migration of the database it comes from; `catalog` the digest of `catalog_digest`."""

    format: Literal[1]
    name: Name
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)]
    created_at: Moment
    expires_at: Moment
    switchgear: Text
    level: Text
    apis: tuple[ApiLine, ...]
    revisions: int
    catalog: Digest
    members: dict[str, Digest]

    @property
    def label(self) -> str:
        return f"bundle:{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """What identifies the bundle, however many signed it."""
        return hash_of(self.to_bytes())


class ProfileLine(Line):
    digest: Digest
    body: str


class RevisionLine(Line):
    """An approved revision as it is stored: `content` is the canonical text that `digest` is over, `proof` is JSON.

    `expires_at`: until when it was approved; a bundle makes no approval longer. `votes`: who approved it; left out
    where nobody is told, as in older bundles.
    """

    workflow_id: Text
    api: Text
    digest: Digest
    content: str
    intent: Text
    risk: RiskName
    resource: Text
    is_core: bool
    rank: float
    proof: str
    approved_by: Text
    approved_at: Moment
    expires_at: Moment | None
    votes: Annotated[tuple[Voter, ...], Field(max_length=20)] = ()

    def to_bytes(self) -> bytes:
        return canonical_bytes(self.model_dump(mode="json", exclude=None if self.votes else {"votes"}))

    @property
    def voters(self) -> tuple[str, ...]:
        """Who approved it there."""
        return self.votes or (self.approved_by,)


class ReplyLine(Line):
    """What replies of an operation promise. `body`: JSON, schemas by status; `operation`: the operation's digest."""

    operation: Text
    body: str


class KnowledgeLine(Line):
    """What is known of an API's operations. `body`: JSON, a card for each."""

    api: Text
    body: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a manifest signs for. `revisions` by workflow, `profiles` and `replies` by digest, `knowledge` by API,
    each once."""

    revisions: tuple[RevisionLine, ...]
    profiles: tuple[ProfileLine, ...]
    sbom: bytes
    replies: tuple[ReplyLine, ...] = ()
    knowledge: tuple[KnowledgeLine, ...] = ()

    def to_members(self) -> dict[str, bytes]:
        members = {PROFILES: _written(self.profiles), REVISIONS: _written(self.revisions), SBOM: self.sbom}
        members |= {REPLIES: _written(self.replies)} if self.replies else {}
        return {**members, KNOWLEDGE: _written(self.knowledge)} if self.knowledge else members


def _written(lines: Iterable[Line]) -> bytes:
    return b"".join(line.to_bytes() + b"\n" for line in lines)


def hash_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def catalog_digest(approved: Iterable[tuple[str, str]]) -> str:
    """One digest of what is approved, from pairs of workflow and revision digest; the same on every machine."""
    return digest(sorted([workflow, content] for workflow, content in approved))


def read_contents(manifest: Manifest, members: Mapping[str, bytes]) -> Contents:
    """What the bundle holds, held against the manifest and checked to the last digest.

    Raises BundleError where content and manifest differ, BundleFormError where something cannot be read or run.
    """
    if {name: hash_of(members[name]) for name in SIGNED if name in members} != manifest.members:
        raise BundleError("its contents are not the ones that were signed", FOREIGN)
    profiles = _lines(members[PROFILES], ProfileLine, PROFILES)
    revisions = _lines(members[REVISIONS], RevisionLine, REVISIONS)
    replies = _lines(members.get(REPLIES, b""), ReplyLine, REPLIES)
    knowledge = _lines(members.get(KNOWLEDGE, b""), KnowledgeLine, KNOWLEDGE)
    _check_order(PROFILES, [line.digest for line in profiles])
    _check_order(REVISIONS, [line.workflow_id for line in revisions])
    _check_order(REPLIES, [line.operation for line in replies])
    _check_order(KNOWLEDGE, [line.api for line in knowledge])
    for profile in profiles:
        _check_profile(profile)
    contents = [(line, _content_of(line)) for line in revisions]
    _check_whole(manifest, profiles, contents)
    _check_replies(replies, {digest for _, content in contents for digest in content.operations.values()})
    _check_knowledge(knowledge, {api.name for api in manifest.apis})
    _check_sbom(members[SBOM])
    return Contents(revisions, profiles, members[SBOM], replies, knowledge)


def _lines(data: bytes, kind: type[L], where: str) -> tuple[L, ...]:
    *lines, rest = data.split(b"\n")
    if rest:
        raise BundleFormError(f"{where} does not end with a line break", FOREIGN)
    return tuple(kind.read(line, f"{where}:{at}") for at, line in enumerate(lines, 1))


def _check_order(where: str, keys: Sequence[str]) -> None:
    if list(keys) != sorted(set(keys)):
        raise BundleFormError(f"{where} is not in order, or names something twice", FOREIGN)


def _check_profile(line: ProfileLine) -> None:
    if hash_of(line.body.encode()) != line.digest:
        raise BundleError(f"the profile {line.digest} has another digest than it says", FOREIGN)
    try:
        profile = parse_profile(orjson.loads(line.body), line.digest)
        is_canonical = canonical_bytes(profile.model_dump(mode="json")) == line.body.encode()
    except (WorkflowError, orjson.JSONDecodeError) as error:
        raise BundleFormError(f"the profile {line.digest} cannot be read: {error}", FOREIGN) from error
    if not is_canonical:
        raise BundleFormError(f"the profile {line.digest} is not in canonical form", FOREIGN)


def _content_of(line: RevisionLine) -> RevisionContent:
    if hash_of(line.content.encode()) != line.digest:
        raise BundleError(f"{line.workflow_id} has another digest than it says", FOREIGN)
    try:
        orjson.loads(line.proof)
        content = RevisionContent.from_json(orjson.loads(line.content))
        is_canonical = canonical_bytes(content.to_json()) == line.content.encode()
        build_program(read_document(content.document, line.workflow_id))
        named = bool(content.tool["name"] and content.tool["inputSchema"])
    except (WorkflowError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BundleFormError(f"{line.workflow_id} cannot be read or executed: {error}", FOREIGN) from error
    if not (is_canonical and named):
        raise BundleFormError(f"{line.workflow_id} is not in canonical form, or has no tool", FOREIGN)
    return content


def _check_whole(
    manifest: Manifest, profiles: Sequence[ProfileLine], found: Sequence[tuple[RevisionLine, RevisionContent]]
) -> None:
    """What belongs together is there, once, and nothing else is."""
    _check_order("the list of APIs", [api.name for api in manifest.apis])
    used = {api.profile_digest for api in manifest.apis} | {content.profile_digest for _, content in found}
    if used - {None} != {line.digest for line in profiles}:
        raise BundleFormError("a profile is missing, or one is there that nothing uses", FOREIGN)
    if {line.api for line, _ in found} != {api.name for api in manifest.apis}:
        raise BundleFormError("its workflows are not those of the APIs that it names", FOREIGN)
    tools = [content.tool["name"] for _, content in found]
    if len(set(tools)) != len(tools):
        raise BundleFormError("two of its workflows have a tool of the same name", FOREIGN)
    pairs = [(line.workflow_id, line.digest) for line, _ in found]
    if (len(pairs), catalog_digest(pairs)) != (manifest.revisions, manifest.catalog):
        raise BundleError("its workflows are not the catalog that was signed", FOREIGN)


def _check_replies(replies: Sequence[ReplyLine], used: set[str]) -> None:
    for line in replies:
        if line.operation not in used:
            raise BundleFormError(f"{REPLIES} has what no workflow asks for: {line.operation}", FOREIGN)
        try:
            schemas = orjson.loads(line.body)
        except orjson.JSONDecodeError as error:
            raise BundleFormError(f"the schemas of {line.operation} cannot be read: {error}", FOREIGN) from error
        if not isinstance(schemas, dict) or not all(isinstance(each, dict | bool) for each in schemas.values()):
            raise BundleFormError(f"the schemas of {line.operation} are none", FOREIGN)


def _check_knowledge(knowledge: Sequence[KnowledgeLine], apis: set[str]) -> None:
    for line in knowledge:
        if line.api not in apis:
            raise BundleFormError(f"{KNOWLEDGE} tells of {line.api}, of which it brings no workflow", FOREIGN)
        try:
            cards = orjson.loads(line.body)
        except orjson.JSONDecodeError as error:
            raise BundleFormError(f"what is known of {line.api} cannot be read: {error}", FOREIGN) from error
        if not isinstance(cards, list) or not all(isinstance(each, dict) and each.keys() >= CARD for each in cards):
            raise BundleFormError(f"what is known of {line.api} are no cards of operations", FOREIGN)


def _check_sbom(data: bytes) -> None:
    try:
        is_sbom = orjson.loads(data)["bomFormat"] == "CycloneDX"
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BundleFormError(f"{SBOM} is no bill of materials", FOREIGN) from error
    if not is_sbom:
        raise BundleFormError(f"{SBOM} is no CycloneDX document", FOREIGN)
