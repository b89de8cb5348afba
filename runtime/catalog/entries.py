"""One approved workflow as it is served: what was approved, what is made of it when it is needed, its targets.

An `Entry` is frozen and belongs to a snapshot; what is made of its revision (`Prepared`) is shared by all that have the
same one. Of thousands of workflows few are called: kept is the text as it is stored, an eighth of what its values take,
and what a list has to know. Made by `catalog`; here never lives a request, a protocol or the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jsonschema_rs
import orjson

from governance.approval.dossier import approval_text
from governance.approval.revisions import Revision
from governance.registry.servers import SCHEME
from governance.registry.targets import Target
from runtime.call_options import CallOptions, manner_of
from runtime.driver import DeviceEndpoint
from runtime.driver.credentials.sessions import References
from runtime.driver.endpoint import Remote
from runtime.driver.wire import Address, address_of
from runtime.errors import UnknownTarget, Unservable
from runtime.results.lenient import lenient
from runtime.results.view import SELECT_SCHEMA, WHERE_SCHEMA, View, view_of
from workflow.budget import tokens_of
from workflow.documents.reader import read_document
from workflow.documents.schemas import as_json
from workflow.errors import WorkflowError
from workflow.json.patterns import LINEAR, enforceable
from workflow.nearest import did_you_mean
from workflow.profiles.profile import Limits, Profile
from workflow.programs.program_making import Program, build_program
from workflow.revision import RevisionContent
from workflow.tool import call_properties, free_name, hides_inputs, input_names, whole_input_schema

Json = Any
# Each tool that takes a target would name them all; with more than these the list is longer than the tools.
MOST_TARGETS_NAMED = 8
# Of so many workflows the content is kept as values, those that were looked at last: some pages of a list, or tools.
MOST_READ = 128


def own_limits(target: Target, profile: Profile) -> Limits | None:
    """The profile's limits with those of the target in their places; None where it has none."""
    told = target.limits.to_json()
    return profile.limits.model_copy(update=told) if told else None


def remote_endpoint(target: Target, profile: Profile, pins: Mapping[str, str]) -> DeviceEndpoint:
    """An MCP server as the driver sees it; `pins`: the digests of the definitions that were approved, by path."""
    assert target.server is not None, "it is one"
    return DeviceEndpoint(
        name=target.name,
        address=Address(SCHEME, target.name, 0, ""),
        tls=target.tls,
        references=References(None, None, None),
        profile=profile,
        own_limits=own_limits(target, profile),
        remote=Remote(target.server, tuple(sorted(pins.items()))),
    )


@lru_cache(MOST_READ)
def _read(told: bytes) -> RevisionContent:
    return RevisionContent.from_json(orjson.loads(told))


class Prepared:
    """What is made of an approved revision when it is first needed: most of a thousand tools are not called today."""

    def __init__(self, revision: Revision) -> None:
        self._told = revision.content_bytes
        self._source = f"revision {revision.id}"
        self._program: Program | None = None
        self._accepts: Callable[[Json], bool] | None = None
        self._endpoints: dict[Target, DeviceEndpoint] = {}
        content = revision.content
        self.name = str(content.tool["name"])
        self.tokens = tokens_of(content.tool, content.document)
        self.hides_inputs = hides_inputs(content.document, content.tool)
        self.input_names = input_names(content.document)

    @property
    def content(self) -> RevisionContent:
        """What was approved, read anew where that was not done lately."""
        return _read(self._told)

    def whole_input_schema(self) -> dict[str, Json]:
        """What inputs are validated with. Made anew each time: it is asked for rarely."""
        return whole_input_schema(read_document(self.content.document, self._source))

    def program(self) -> Program:
        """The program, made once. Raises Unservable when the document cannot be executed."""
        if self._program is None:
            self._program = self._made()
        return self._program

    def check(self) -> None:
        """Raises Unservable as `program` does; keeps nothing."""
        if self._program is None:
            self._made()

    def endpoint(self, target: Target, profile: Profile) -> DeviceEndpoint:
        """`target` as the driver sees it, made once. Raises TargetError for an address that is none."""
        made = self._endpoints.get(target)
        if made is None and target.server is not None:
            pins = {key.partition(" ")[2]: pin for key, pin in self.content.operations.items()}
            made = self._endpoints[target] = remote_endpoint(target, profile, pins)
        elif made is None:
            keeps_base_path = target.mode != "prism"  # which serves the paths of the description alone
            made = self._endpoints[target] = DeviceEndpoint(
                name=target.name,
                address=address_of(target.base_url, self.program().base_path, adds_base_path=keeps_base_path),
                tls=target.tls,
                references=References(target.username_ref, target.password_ref, target.token_ref),
                profile=profile,
                own_limits=own_limits(target, profile),
                responses=target.responses,
            )
        return made

    @cached_property
    def output_schema(self) -> bytes:
        """The tool's output schema as JSON."""
        return as_json(self.content.tool.get("outputSchema") or True)

    def accepts_outputs(self, outputs: Json) -> bool:
        """Whether `outputs` are what the tool's output schema promises."""
        if self._accepts is None:
            schema = self.content.tool.get("outputSchema")
            self._accepts = _judge_of(schema) if schema else lambda _outputs: True
        return self._accepts(outputs)

    @cached_property
    def accepts_shown(self) -> Callable[[Json], bool]:
        """Whether outputs, or a part of them, are of the types that the tool's output schema promises."""
        schema = self.content.tool.get("outputSchema")
        return _judge_of(lenient(schema)) if schema else lambda _outputs: True

    def _made(self) -> Program:
        try:
            return build_program(read_document(self.content.document, self._source))
        except WorkflowError as error:
            raise Unservable(f"{self._source} cannot be executed: {error}", "compile it again") from error


def _judge_of(schema: Json) -> Callable[[Json], bool]:
    return jsonschema_rs.validator_for(enforceable(schema)[0], pattern_options=LINEAR).is_valid


@dataclass(frozen=True, slots=True)
class TakenApart:
    """What a client sent with a call: the workflow's inputs, the target, how it is wanted, what is to be shown."""

    inputs: dict[str, Json]
    target: str | None
    options: CallOptions
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One approved workflow, ready to run. `uses`: how often it was run, as counted when the server started.

    `target_argument`: the name of the argument that chooses among several targets; empty where there is one or none.
    `approved`: who or what approved it, in words.
    """

    revision_id: str
    workflow_id: str
    number: int
    digest: str
    api: str
    risk: str
    is_core: bool
    rank: float
    intent: str
    resource: str
    uses: int
    prepared: Prepared
    profile: Profile
    targets: tuple[Target, ...]
    target_argument: str
    approved: str = ""

    @classmethod
    def of(
        cls, revision: Revision, prepared: Prepared, profile: Profile, targets: tuple[Target, ...], *,
        uses: int = 0, target_argument: str = "",
    ) -> "Entry":  # fmt: skip
        """What is approved, with what was made of it."""
        return cls(
            revision_id=revision.id,
            workflow_id=revision.workflow_id,
            number=revision.number,
            digest=revision.digest,
            api=revision.api,
            risk=revision.risk,
            is_core=revision.is_core,
            rank=revision.rank,
            intent=revision.intent,
            resource=revision.resource,
            uses=uses,
            prepared=prepared,
            profile=profile,
            targets=targets,
            target_argument=target_argument,
            approved=approval_text(revision),
        )

    @property
    def program(self) -> Program:
        """Raises Unservable."""
        return self.prepared.program()

    @property
    def name(self) -> str:
        return self.prepared.name

    @property
    def tool(self) -> Mapping[str, Json]:
        """The approved definition, by MCP's names."""
        tool: Mapping[str, Json] = self.prepared.content.tool
        return tool

    @property
    def input_schema(self) -> dict[str, Json]:
        """What a client sees: the approved schema, and what else can be said of a call."""
        return self.with_more(self.tool["inputSchema"])

    def with_plan(self, inputs: Mapping[str, Json], *, in_full: bool = False) -> dict[str, Json]:
        """`inputs`, a schema of the workflow, with the arguments by which it is planned and a plan confirmed, or by
        which what is shown of a read is chosen; of these all is told where it is wanted `in_full`."""
        names = self.prepared.input_names
        more = call_properties(self.tool, names)
        if in_full and self.risk == "read":
            more |= {free_name("select", names): SELECT_SCHEMA, free_name("where", names): WHERE_SCHEMA}
        return {**inputs, "properties": {**inputs.get("properties", {}), **more}}

    def with_more(self, inputs: Mapping[str, Json], *, in_full: bool = False) -> dict[str, Json]:
        """`inputs`, a schema of the workflow, with what a client gives besides: a plan, which of several targets."""
        schema = self.with_plan(inputs, in_full=in_full)
        if self.target_argument:
            schema["properties"] = {**schema.get("properties", {}), self.target_argument: self.target_schema}
            if not any(target.is_default for target in self.targets):
                schema["required"] = [*schema.get("required", []), self.target_argument]
        return schema

    @property
    def output_schema(self) -> dict[str, Json] | None:
        """What a client is promised of results; where a plan or a part may be the result, nothing has to be there."""
        schema = self.tool.get("outputSchema")
        if schema is None:
            return None
        if self.risk == "read":
            loose: dict[str, Json] = lenient(schema)
            return loose
        return {name: part for name, part in schema.items() if name not in ("required", "additionalProperties")}

    def taken_apart(self, arguments: Mapping[str, Json]) -> "TakenApart":
        """What a client sent. Raises BadInput."""
        inputs, names = dict(arguments), self.prepared.input_names
        target = inputs.pop(self.target_argument, None) if self.target_argument else None
        options = manner_of(inputs, free_name("plan", names), free_name("plan_id", names))
        if self.risk != "read":
            return TakenApart(inputs, target, options)
        select, where = (inputs.pop(free_name(name, names), None) for name in ("select", "where"))
        return TakenApart(inputs, target, options, view_of(select, where))

    @property
    def target_schema(self) -> dict[str, Json]:
        """How one of several targets is named."""
        default = next((f" Without it: {target.name}." for target in self.targets if target.is_default), "")
        schema: dict[str, Json] = {"type": "string", "description": f"The device to act on.{default}"}
        if len(self.targets) <= MOST_TARGETS_NAMED:
            schema["enum"] = [target.name for target in self.targets]
        return schema

    def target(self, name: str | None) -> Target:
        """The target called `name`, or the one that is meant without a name. Raises UnknownTarget."""
        for target in self.targets:
            if target.name == name or (name is None and (target.is_default or len(self.targets) == 1)):
                return target
        if not self.targets:
            raise UnknownTarget(f"there is no target for the API {self.api}", "add one with `switchgear targets add`")
        known = ", ".join(target.name for target in self.targets)
        if name is None:
            raise UnknownTarget("several targets are possible and none was named", f"name one of {known}")
        near = did_you_mean(str(name), (target.name for target in self.targets))
        told = f"there is no target {name} for the API {self.api}" + ("." + near if near else "")
        raise UnknownTarget(told, f"name one of {known}")
