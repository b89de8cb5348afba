"""Single operations for experts: whether this caller may call one, and the workflow of one step that does it.

Off until the policy names somebody (`call_api`). A GET that only reads is submitted when it is first called, and the
policy lets it pass; every other operation is called when an approver has approved it by name. From here on it is a
workflow like any other: `calls` checks, plans, records and judges it. What is approved is what the compiler wrote on
the operation's card; a GET that was described anew is submitted anew. Called by the tool, the routes and the command.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.approval.policies import PolicyStore
from governance.approval.revisions import NewRevision, Revision, RevisionStore
from governance.errors import ForbiddenError, NotFoundError
from governance.people.scopes import AccessScope
from governance.registry.apis import ApiStore
from governance.registry.responses import ResponseStore
from governance.registry.targets import TargetStore
from governance.transitions import may
from runtime.caller import Caller
from runtime.catalog.entries import Entry, Prepared
from runtime.catalog.watcher import LiveCatalog
from runtime.errors import BadInput, NotApproved, Unservable
from runtime.knowledge import Card, Knowledge
from workflow.errors import DocumentError
from workflow.json.pointers import escape
from workflow.profiles.profile import Profile, parse_profile
from workflow.raw_calls import Described, content_of, is_plain_read, workflow_of
from workflow.requests.reserved import why_reserved
from workflow.revision import RevisionContent

Json = Any
INPUTS = "$inputs."
MOST_KEPT = 128
_SUBMIT = "ask an approver to allow it by name: `switchgear api submit`, then `switchgear workflows approve`"
_UNPROVED = "it is one operation alone: what it does is known from the description, and nothing is read back"


@dataclass(slots=True)
class RawCalls:
    policies: PolicyStore
    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    replies: ResponseStore
    knowledge: Knowledge
    live: LiveCatalog
    _prepared: dict[str, tuple[Prepared, Profile]] = field(default_factory=dict)

    def is_for(self, caller: Caller) -> bool:
        """Whether the tool is among those that the caller is shown: as of the catalog that is served."""
        return caller.name in self.live.experts

    async def entry(self, operation: str, api: str | None, caller: Caller) -> Entry:
        """The operation `METHOD /path`, ready to run.

        Raises ForbiddenError (the caller is not named, or no operator), NotFoundError, BadInput (several APIs have it),
        NotApproved, Unservable (it is not called alone), GovernanceError.
        """
        if caller.name not in (await self.policies.current()).policy.call_api:
            raise ForbiddenError(
                f"{caller.name} may not call single operations", "an admin names who may in the policy, as `call_api`"
            )
        if not may(caller.role, "operator"):  # before a read is submitted for them
            raise ForbiddenError(
                f"the role {caller.role} may not run operations", "ask somebody with the role operator"
            )
        name, card = await self._card(operation, api, caller.scope)
        revision = await self._revision(name, card, caller)
        return await self._entry(revision, caller.scope)

    async def submit(self, operation: str, api: str | None, caller: Caller) -> Revision:
        """Has the operation wait for an approver, as it is described now. Raises as `entry`."""
        name, card = await self._card(operation, api, caller.scope)
        return await self._submitted(name, card, await self._content(name, card), caller)

    async def _card(self, operation: str, api: str | None, scope: AccessScope) -> tuple[str, Card]:
        found = {
            name: card
            for name, card in (await self.knowledge.cards(operation, scope, api)).items()
            if scope.admits(name, str(card["risk"]), workflow_of(name, operation))
        }
        if not found:
            raise NotFoundError(f"no operation {operation} is known", "search for it: its name is METHOD /path")
        if len(found) > 1:
            raise BadInput(f"several APIs have {operation}", "/api", f"name one of {', '.join(found)}")
        return next(iter(found.items()))

    async def _revision(self, api: str, card: Card, caller: Caller) -> Revision:
        """What is approved of it now; a GET that reads is submitted where that is not how it is described."""
        workflow_id = workflow_of(api, str(card["operation"]))
        in_use = await self.revisions.in_use(workflow_id)
        if not is_plain_read(card):
            # What passed without a person did so as a read, which it is not any more.
            if in_use is None or in_use.decided_by == "policy":
                raise NotApproved(f"{card['operation']} of {api} is not approved to be called alone", _SUBMIT)
            return in_use
        content = await self._content(api, card)
        if in_use is not None and in_use.digest == content.digest:
            return in_use
        await self._check_not_taken_away(workflow_id)
        made = await self._submitted(api, card, content, caller)
        if made.state != "approved":
            raise NotApproved(f"{made.workflow_id}@{made.number} is {made.state}, not approved", _SUBMIT)
        return made

    async def _check_not_taken_away(self, workflow_id: str) -> None:
        """Raises NotApproved where a person was the last to decide, and decided against it."""
        try:
            newest = await self.revisions.get(workflow_id)
        except NotFoundError:
            return
        if newest.state in ("rejected", "retired") and newest.decided_by != "policy":
            raise NotApproved(f"{workflow_id} was {newest.state} by {newest.decided_by}", _SUBMIT)

    async def _content(self, api: str, card: Card) -> RevisionContent:
        stored = await self.apis.get_api(api)
        try:
            return content_of(Described(api, stored.spec_digest, stored.profile_digest), card)
        except DocumentError as error:
            raise Unservable(error.message, "call a workflow that does it") from error

    async def _submitted(self, api: str, card: Card, content: RevisionContent, caller: Caller) -> Revision:
        """With what its replies promise, which the compiler stored of those operations alone that workflows use."""
        promised = card["call"].get("replies")
        if promised:
            await self.replies.put({str(card["call"]["digest"]): promised}, actor=caller.name)
        why = {"step": "call", "risk": card["risk"], "why": card["why"]}
        new = NewRevision(
            workflow_id=workflow_of(api, str(card["operation"])),
            content=content,
            intent="find" if card["risk"] == "read" else "act",
            risk=str(card["risk"]),
            resource=str(card["thing"]),
            is_core=False,
            rank=0.0,
            proof={"verified": False, "reason": _UNPROVED, "risk": [why]},
        )
        return (await self.revisions.submit_all(api, (new,), actor=caller.name))[0].revision

    async def _entry(self, revision: Revision, scope: AccessScope) -> Entry:
        prepared, profile = await self._made(revision)
        targets = tuple(
            each for each in await self.targets.list_targets() if each.api == revision.api and scope.admits_target(each)
        )
        return Entry.of(revision, prepared, profile, targets)

    async def _made(self, revision: Revision) -> tuple[Prepared, Profile]:
        if revision.digest not in self._prepared:
            profile = Profile(api=revision.api)
            if revision.content.profile_digest is not None:
                profile = parse_profile(await self.apis.get_profile(revision.content.profile_digest), revision.api)
            if len(self._prepared) >= MOST_KEPT:
                self._prepared.pop(next(iter(self._prepared)))
            self._prepared[revision.digest] = Prepared(revision), profile
        return self._prepared[revision.digest]


def inputs_of(entry: Entry, arguments: Mapping[str, Json], body: Json | None) -> dict[str, Json]:
    """The workflow's inputs: parameters by their own names or those of the inputs, and the body. Raises BadInput."""
    step = entry.prepared.content.document["workflows"][0]["steps"][0]
    own = {each["name"]: str(each["value"]).removeprefix(INPUTS) for each in step.get("parameters", ())}
    inputs = {own.get(name, name): value for name, value in arguments.items()}
    if len(inputs) < len(arguments):
        raise BadInput("a parameter is given twice", "/arguments", "give each once")
    if body is None:
        return inputs
    sent = step.get("requestBody")
    if sent is None:
        raise BadInput("this operation takes no body", "/body", "leave it out")
    names = body if isinstance(body, Mapping) else ()
    reserved = next(((name, why) for name in names if (why := why_reserved("body", name))), None)
    if reserved:
        raise BadInput(f"the body may not have {reserved[0]}: {reserved[1]}", "/body", "take it out")
    if isinstance(sent["payload"], Mapping) and (unknown := sorted(set(names) - set(sent["payload"]))):
        parts = ", ".join(sent["payload"])
        raise BadInput(f"the body has no part {unknown[0]}", f"/body/{escape(unknown[0])}", f"its parts are {parts}")
    return {**inputs, _input_in(sent["payload"]): body}


def _input_in(payload: Json) -> str:
    """The input that a body is made of: as it is, or part by part."""
    written = next(iter(payload.values())) if isinstance(payload, Mapping) else payload
    return str(written).removeprefix(INPUTS).partition("#")[0]
