"""Single operations for experts: whether this caller may call one, and the workflow of one step that does it.

Off until the policy names somebody (`call_api`). A GET that only reads is submitted when it is first called, and the
policy lets it pass; every other operation is called when an approver has approved it by name. From here on it is a
workflow like any other: `calls` checks, plans, records and judges it. What is approved is what the compiler wrote on
the operation's card; a GET that was described anew is submitted anew. Called by the tool, the routes and the command.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.approval.policies import PolicyStore
from governance.approval.revisions import NewRevision, Revision, RevisionStore
from governance.errors import ForbiddenError, GovernanceError, NotFoundError
from governance.people.scopes import AccessScope
from governance.registry.apis import ApiStore
from governance.registry.targets import TargetStore
from runtime.caller import Caller
from runtime.catalog.entries import Entry, Prepared
from runtime.errors import BadInput, NotApproved, Unservable
from runtime.knowledge import Card, Knowledge
from workflow.errors import DocumentError
from workflow.profiles.profile import Profile, parse_profile
from workflow.raw_calls import Described, content_of, is_plain_read, workflow_of
from workflow.requests.reserved import why_reserved
from workflow.revision import RevisionContent

Json = Any
INPUTS = "$inputs."
MOST_KEPT = 128
# Who is shown the tool is asked at each list; who may call it, at each call.
KNOWN_FOR_S = 2.0
_SUBMIT = "ask an approver to allow it by name: `switchgear api submit`, then `switchgear workflows approve`"
_UNPROVED = "it is one operation alone: what it does is known from the description, and nothing is read back"


@dataclass(slots=True)
class RawCalls:
    """`is_listed`: somebody was named when the server started, and the lists left room for the tool."""

    policies: PolicyStore
    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    knowledge: Knowledge
    is_listed: bool = False
    _prepared: dict[str, tuple[Prepared, Profile]] = field(default_factory=dict)
    _named: frozenset[str] = frozenset()
    _named_until: float = -1.0

    async def is_for(self, caller: Caller) -> bool:
        """Whether the tool is among those that the caller is shown."""
        now = asyncio.get_running_loop().time()
        if self.is_listed and now > self._named_until:
            try:
                self._named = frozenset((await self.policies.current()).policy.call_api)
            except GovernanceError:  # a policy that cannot be believed names nobody
                self._named = frozenset()
            self._named_until = now + KNOWN_FOR_S
        return self.is_listed and caller.name in self._named

    async def entry(self, operation: str, api: str | None, caller: Caller) -> Entry:
        """The operation `METHOD /path`, ready to run.

        Raises ForbiddenError (the caller is not named), NotFoundError, BadInput (several APIs have it), NotApproved,
        Unservable (it is not called alone), GovernanceError.
        """
        if caller.name not in (await self.policies.current()).policy.call_api:
            raise ForbiddenError(
                f"{caller.name} may not call single operations", "an admin names who may in the policy, as `call_api`"
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
    return {**inputs, str(sent["payload"]).removeprefix(INPUTS): body}
