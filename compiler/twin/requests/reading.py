"""Reads: items, collections and documents as the vendor sends them, with what the query asks for.

Changes nothing; that a job moves on because somebody looked is `machine.py`'s doing, before it comes here.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any
from urllib.parse import urlencode

from compiler.ir.model import Operation
from compiler.passes.resources import only_tells_whether
from compiler.twin.blueprint import Blueprint, TwinKind
from compiler.twin.requests import queries
from compiler.twin.requests.asked import MatchedRequest
from compiler.twin.requests.messages import TwinReply
from compiler.twin.requests.paging import LINK_PARAMETER, TwinPage, asked_of, page_of
from compiler.twin.requests.replies import Replies
from compiler.twin.seeds import Seeds, listed_in, member_place
from compiler.twin.store import Store
from compiler.twin.values.pointers import put, without

Json = Any


class Reader:
    def __init__(self, blueprint: Blueprint, seeds: Seeds, store: Store, replies: Replies) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._store = store
        self._replies = replies

    def read(self, asked: MatchedRequest) -> TwinReply:
        wanted = queries.asked(self._blueprint, asked.request.query)
        if asked.behaviour.kind is TwinKind.LIST:
            return self._collection(asked, wanted)
        if asked.behaviour.kind is TwinKind.READ and asked.above:  # the address "/" leads through nothing: a document
            versioned = self._versioned(asked)
            if any(tag == asked.request.header("if-none-match") for _, tag in versioned):
                return TwinReply(304, versioned)
            body = self._selected(self._store.shown(asked.place), wanted)
            return TwinReply(200, versioned, self._replies.item(asked.resource, body))
        if only_tells_whether(asked.operation) and asked.operation.method != "HEAD":
            return TwinReply(204)
        return TwinReply(200, (), self._seeds.document(asked.operation, asked.path))

    def _collection(self, asked: MatchedRequest, wanted: Mapping[str, str]) -> TwinReply:
        resource, collection = asked.resource, listed_in(asked.resource, asked.path)
        places = [member_place(resource, collection, i) for i in self._store.ids(resource, collection)]
        shown = [(place, self._store.shown(place)) for place in places]
        shown = [(place, body) for place, body in shown if self._is_meant(asked.operation, asked.request.query, body)]
        kept = queries.narrowed([body for _, body in shown], wanted)
        page = self._page(asked, kept)
        total, kept = len(kept), page.items
        if resource.references and "expand" not in wanted:
            addresses = {id(body): self._blueprint.base_path + place.address for place, body in shown}
            items: list[Json] = [{resource.references: addresses[id(body)]} for body in kept]
        else:
            items = [self._selected(body, wanted) for body in kept]
        if self._lists_names(asked):
            kept_ids = {id(body) for body in kept}
            items = [place.id for place, body in shown if id(body) in kept_ids]
        envelope = self._seeds.document(asked.operation, asked.match.template) if resource.members else None
        body = self._replies.collection(resource, envelope, items, total)
        if resource.references and isinstance(body, dict) and resource.references in body:
            body = {**body, resource.references: self._blueprint.base_path + asked.address}
        reply = self._leading_on(asked, body, page)
        return replace(reply, headers=(*reply.headers, *self._list_version(asked)))

    def _list_version(self, asked: MatchedRequest) -> tuple[tuple[str, str], ...]:
        """The list's entity tag, where the description says that it has one."""
        name, success = self._blueprint.profile.conditional.read_header.lower(), asked.operation.success
        is_sent = success is not None and name in success.headers
        return ((name, self._store.version(listed_in(asked.resource, asked.path))),) if is_sent else ()

    def _page(self, asked: MatchedRequest, kept: list[Json]) -> TwinPage:
        """What of the list is given at this time."""
        paging = asked.resource.paging
        if paging is None:
            return TwinPage(kept, None)
        told = asked_of(paging, asked.request)
        if not self._store.is_stingy:
            return page_of(paging, kept, told, None)
        kept = kept[::-1] if self._store.is_stingy == "newest first" else kept
        return page_of(paging, kept, told, ceil(len(kept) / 3))

    def _leading_on(self, asked: MatchedRequest, body: Json, page: TwinPage) -> TwinReply:
        """The reply with what leads to the next page, and without what an example says of one that is not there."""
        paging = asked.resource.paging
        if paging is None or paging.by not in ("token", "link"):
            return TwinReply(200, (), body)
        query = [(name, value) for name, value in asked.request.query if name != LINK_PARAMETER]
        onward = urlencode([*query, (LINK_PARAMETER, page.next_start)], safe="$*()=")
        address = f"{self._blueprint.base_path}{asked.address}?{onward}"
        if paging.at == "header.link":
            headers = (("link", f'<{address}>; rel="next"'),) if page.next_start is not None else ()
            return TwinReply(200, headers, body)
        if page.next_start is None:
            return TwinReply(200, (), without(body, paging.at))
        return TwinReply(200, (), put(body, paging.at, page.token() if paging.by == "token" else address))

    def _lists_names(self, asked: MatchedRequest) -> bool:
        """Whether the list holds bare ids, though reading one answers an object."""
        reply = asked.operation.success
        schemas = self._blueprint.schemas
        element = schemas.element(schemas.at(reply.schema, asked.resource.members)) if reply and reply.schema else None
        return schemas.kind(element) == "string"

    def _is_meant(self, operation: Operation, query: tuple[tuple[str, str], ...], body: Json) -> bool:
        """Whether the item has the values that declared query parameters of its members' names ask for."""
        if not query:
            return True
        asked = self._blueprint.declared(operation).asked(dict.fromkeys(name for name, _ in query))
        declared = {parameter.name for parameter in asked if parameter.location == "query"}
        for name, value in query:
            held = body.get(name) if name in declared and isinstance(body, dict) else None
            if isinstance(held, (str, int)) and str(held).lower() != value.lower():
                return False
        return True

    def _selected(self, body: Json, wanted: Mapping[str, str]) -> Json:
        identity = self._blueprint.profile.identity.id_fields
        reference = self._blueprint.profile.envelope.reference_field
        return queries.selected(body, wanted, (*identity, *((reference,) if reference else ())))

    def _versioned(self, asked: MatchedRequest) -> tuple[tuple[str, str], ...]:
        """The entity tag, where the vendor sends one."""
        rule = self._blueprint.profile.conditional
        success = asked.operation.success
        is_sent = rule.methods or (success is not None and rule.read_header.lower() in success.headers)
        return ((rule.read_header.lower(), self._store.version(asked.place.address)),) if is_sent else ()
