"""Replies in the vendor's form: wrapped items, collections, receipts, errors.

Given what happened, says how the device puts it. Statuses are chosen among the declared ones, in the order in which
RFC 9110 prefers them for what was done. Holds memos of bodies that are always the same; no state of the device.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from compiler.ir.model import Effect, Operation, Resource, Response, Schema
from compiler.passes.names import words
from compiler.twin.blueprint import Behaviour, Blueprint, TwinKind, response_for
from compiler.twin.requests.messages import RefusalError, TwinReply, TwinRequest
from compiler.twin.requests.routes import Match, canonical
from compiler.twin.values.pointers import MISSING, get, put, without
from compiler.twin.values.sampler import Want
from compiler.twin.values.validation import SchemaView
from workflow.json.pointers import escape, parse_pointer
from workflow.replies.next_links import links_in
from workflow.replies.totals import places_of_totals

Json = Any
_ORDERS = {
    TwinKind.CREATE: (201, 200, 202, 204),
    TwinKind.UPDATE: (200, 204, 202, 201),
    TwinKind.REPLACE: (200, 204, 201, 202),
    TwinKind.DELETE: (204, 200, 202),
    TwinKind.ACT: (204, 200, 201, 202),
    TwinKind.PUT_IN: (204, 200, 201, 202),
    TwinKind.TAKE_OUT: (204, 200, 202),
    TwinKind.LOGIN: (201, 200, 204),
    TwinKind.LOGOUT: (204, 200),
}
_TEXTS = ("message", "error", "detail", "description", "title")


@dataclass(slots=True)
class Receipt:
    """What a change's reply has to tell: the job's handle, the id of what was made, the item, where it stands."""

    job_id: str | None = None
    job_address: str = ""
    made_id: str = ""
    item: Json = MISSING
    location: str = ""
    job_views: tuple[tuple[Resource, Json], ...] = ()
    headers: list[tuple[str, str]] = field(default_factory=list)


class Replies:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._samples: dict[tuple[int, bool], tuple[Schema, Json]] = {}

    def item(self, resource: Resource, body: Json) -> Json:
        if not resource.wrapper:
            return [body] if resource.item_is_list else body
        read = self._blueprint.operations[resource.read].success
        around = self.sample(read.schema) if read is not None and read.schema is not None else None
        return put(around if isinstance(around, dict) else {}, resource.item_at, body)

    def _element(self, resource: Resource, item: Json) -> Json:
        """An element of the list: the item with what the description says to be around it there."""
        reply = self._blueprint.operations[resource.list].success
        schema = self._blueprint.schemas.at(reply.schema, resource.members) if reply and reply.schema else None
        element = self._blueprint.schemas.element(schema)
        around = self.sample(element) if element is not None else None
        return put(around if isinstance(around, dict) else {}, resource.element_at, item)

    def collection(self, resource: Resource, envelope: Json, items: list[Json], total: int) -> Json:
        """The list as the vendor sends it, with every member beside it that counts what there is in `total`."""
        items = [self._element(resource, item) for item in items] if resource.element_at else items
        if resource.members == "":
            return items
        body = put(envelope if isinstance(envelope, dict) else {}, resource.members, items)
        members = parse_pointer(resource.members)
        counted = [at for at, _, value in places_of_totals(body, members) if _is_number(value)]
        counted += [(name,) for name, value in body.items() if _is_number(value) and name.lower().endswith("count")]
        for at in dict.fromkeys(counted):
            body = put(body, "".join(f"/{escape(name)}" for name in at), total)
        for at, _ in tuple(links_in(body, members)):  # of an example, whose list is another one
            place = "".join(f"/{escape(name)}" for name in at)
            body = without(body, place) if len(at) == 1 else put(body, place, None)
        return body

    def unknown_item(self, behaviour: Behaviour) -> TwinReply | None:
        """The empty list that some vendors answer to a read of what is not there; None where it is an error."""
        resource = behaviour.resource
        is_read = behaviour.kind is TwinKind.READ and resource is not None and resource.item_is_list
        if is_read and self._blueprint.profile.envelope.unknown_item[:1] == ("empty_list",):
            return TwinReply(200, (), [])
        return None

    def change(self, behaviour: Behaviour, receipt: Receipt) -> TwinReply:
        """The answer to a change, with what the receipt has to tell wherever the vendor puts it."""
        operation = behaviour.operation
        status = self.status(behaviour, is_job=receipt.job_id is not None)
        body = self._body(behaviour, status, receipt)
        headers = list(receipt.headers)
        job = behaviour.job
        if job is not None and job.handle_within == "body":
            body = put(body, job.handle_at, receipt.job_id or "")
        elif job is not None and receipt.job_id is not None:
            handle = self._blueprint.base_path + receipt.job_address if job.handle_is_address else receipt.job_id
            headers.append((job.handle_at.lower(), handle))
        if job is not None and job.created_id and body is not None:
            body = put(body, job.created_id, receipt.made_id)
        if receipt.location and not any(name == "location" for name, _ in headers):
            headers.append(("location", self._blueprint.base_path + receipt.location))
        if status == 202:
            headers.append(("retry-after", "1"))
        if operation.method == "HEAD" or status == 204:
            body = None
        return TwinReply(status, tuple(headers), body)

    def status(self, behaviour: Behaviour, *, is_job: bool) -> int:
        declared = [int(r.status) for r in behaviour.operation.responses if r.status.isdigit() and r.status[0] == "2"]
        is_question = behaviour.operation.effect is Effect.READ
        order = (200, 204) if is_question else _ORDERS.get(behaviour.kind, (200, 204))
        if is_job and behaviour.job is not None:
            statuses = behaviour.job.statuses
            order = (202, *statuses, *order)
            if statuses and not {202, *statuses} & set(declared):  # any change may be answered so, whatever is declared
                return statuses[-1]
        elif (
            behaviour.kind is not TwinKind.CREATE
            and behaviour.job is not None
            and behaviour.job.handle_within == "body"
        ):
            order = (*behaviour.job.statuses, *order)
        return next((status for status in order if status in declared), declared[0] if declared else order[0])

    def dressed(self, reply: TwinReply, request: TwinRequest, match: Match | None) -> TwinReply:
        """`reply` with what all replies carry, and those to reads besides (RFC 9110, 10.2.1 on Allow)."""
        protocol = self._blueprint.profile.protocol
        headers = [(name.lower(), value) for name, value in protocol.reply_headers.items()]
        if request.method in ("GET", "HEAD"):
            headers += [(name.lower(), value) for name, value in protocol.read_headers.items()]
            headers += [("allow", allowed(match.methods))] if match is not None else []
        own = {name for name, _ in reply.headers}
        return TwinReply(reply.status, (*reply.headers, *(h for h in headers if h[0] not in own)), reply.body)

    def document(self, path: str) -> TwinReply | None:
        """What the device serves at `path` besides the description."""
        for document in self._blueprint.profile.protocol.documents:
            if canonical(document.path) == canonical(self._blueprint.base_path + path):
                body = document.body.encode() if isinstance(document.body, str) else document.body
                return TwinReply(200, (("content-type", document.media_type),), body)
        return None

    def error(self, operation: Operation | None, refusal: RefusalError) -> TwinReply:
        """The refusal in the vendor's envelope, its message where the profile says that messages stand."""
        response = self._declared(operation, refusal.status)
        schema = response.schema if response is not None else None
        pointers = self._blueprint.profile.envelope.error_messages
        if schema is None:
            body: Json = {"message": refusal.message} if not pointers else None
            return TwinReply(refusal.status, refusal.headers, _with_message(body, pointers, refusal.message))
        said = self._said(schema, response.example if response else None, pointers, refusal.message)
        return TwinReply(refusal.status, refusal.headers, said)

    def _declared(self, operation: Operation | None, status: int) -> Response | None:
        """The operation's error, and for a path that leads nowhere the one that other operations have."""
        if operation is not None:
            return response_for(operation, status)
        found = (response_for(each, status) for each in self._blueprint.api.operations)
        return next((response for response in found if response is not None and response.schema is not None), None)

    def _said(self, schema: Schema, example: Json, pointers: tuple[str, ...], message: str) -> Json:
        """The shortest body that fits the schema and carries the message; a body of its own where there is no place."""
        want = Want(SchemaView.RESPONSE, is_full=False, is_well=False)
        small, full = self._blueprint.sampler.value(schema, want), self.sample(schema, is_well=False)
        places = pointers or _texts_in(full)
        if not places:
            return {"message": message}
        for base in (example, small, full):
            body = _with_message(base, places, message)
            if base is not None and self._blueprint.validation.fits(schema, body, SchemaView.RESPONSE):
                return body
        return _with_message(full, tuple(p for p in pointers if get(full, p) is not MISSING), message)

    def sample(self, schema: Schema, *, is_well: bool = True) -> Json:
        """One value for the schema, always the same; of a reply that tells of an error where not `is_well`."""
        known = self._samples.get((id(schema), is_well))
        if known is None:
            known = (schema, self._blueprint.sampler.fitting(schema, Want(SchemaView.RESPONSE, is_well=is_well)))
            self._samples[id(schema), is_well] = known
        return known[1]

    def _body(self, behaviour: Behaviour, status: int, receipt: Receipt) -> Json:
        response = response_for(behaviour.operation, status)
        is_told = any(each.status == str(status) for each in behaviour.operation.responses)
        if receipt.job_id is not None and not is_told and behaviour.job and behaviour.job.handle_within != "body":
            return None
        if response is None or response.schema is None:
            return response.example if response is not None else None
        shown = self._shown(behaviour, response.schema, receipt)
        if shown is not MISSING:
            return shown
        body = response.example if response.example is not None else self.sample(response.schema)
        made = behaviour.resource if receipt.made_id and isinstance(body, dict) else None
        members = self._blueprint.schemas.members(response.schema) if made is not None else {}
        names = (made.id_parameter, made.id_field) if made is not None and not made.references else ()
        name = next((name for name in names if name in members), "")
        is_counted = self._blueprint.schemas.kind(members.get(name)) == "integer" and receipt.made_id.isdigit()
        made_id = int(receipt.made_id) if is_counted else receipt.made_id
        return put(body, f"/{escape(name)}", made_id) if name else body

    def _shown(self, behaviour: Behaviour, schema: Schema, receipt: Receipt) -> Json:
        """The job or the item itself, where the reply's schema is that of one; MISSING for a mere receipt."""
        if behaviour.job is not None and behaviour.job.handle_within != "body":
            for view, body in receipt.job_views:
                shown = self.item(view, body)
                is_it = self._blueprint.looks_like_item(schema, view)
                if is_it and self._blueprint.validation.fits(schema, shown, SchemaView.RESPONSE):
                    return shown
        resource = behaviour.resource
        if resource is None or receipt.item is MISSING:
            return MISSING
        if not self._blueprint.looks_like_item(schema, resource):
            return self._around(schema, resource, receipt.item)
        shown = [receipt.item] if self._blueprint.schemas.kind(schema) == "array" else receipt.item
        holds_job = receipt.job_id is not None and behaviour.job is not None and behaviour.job.handle_within == "body"
        if holds_job and not self._blueprint.validation.fits(schema, shown, SchemaView.RESPONSE):
            return MISSING  # what holds the job is in an envelope like that of the thing
        return shown

    def _around(self, schema: Schema, resource: Resource, item: Json) -> Json:
        """The reply that has the item where reading has it, or under its noun; MISSING where it has not."""
        for place in dict.fromkeys((resource.wrapper, f"/{words.singular(resource.noun)}")):
            member = self._blueprint.schemas.at(schema, place) if place else None
            if member is not None and self._blueprint.looks_like_item(member, resource):
                return put(self.sample(schema), place, item)
        return MISSING


def allowed(methods: Collection[str]) -> str:
    """The methods of a path as `Allow` lists them; HEAD goes with GET (RFC 9110, 9.1)."""
    return ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))


def _is_number(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _with_message(body: Json, pointers: tuple[str, ...], message: str) -> Json:
    for pointer in pointers:
        body = put(body, pointer, message)
    return body


def _texts_in(sample: Json, at: str = "") -> tuple[str, ...]:
    """Where the message most likely stands, where nobody said it: a member of a usual name, nearest to the top."""
    if isinstance(sample, list):
        return _texts_in(sample[0], f"{at}/0") if sample else ()
    if not isinstance(sample, dict):
        return ()
    names = [name for name in _TEXTS if isinstance(sample.get(name), str)]
    names = names or [n for n, v in sample.items() if isinstance(v, str) and "message" in n.lower()]
    if names:
        return (f"{at}/{escape(names[0])}",)
    return next((found for n, v in sample.items() if (found := _texts_in(v, f"{at}/{escape(n)}"))), ())
