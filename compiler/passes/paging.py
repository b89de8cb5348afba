"""Paging: how each collection goes on after its first page.

Before: resources. After: `Resource.paging` where the collection's list comes in pages, with the evidence. The profile's
rules come first. Without one the list's own parameters and reply tell: a member that holds the next page's address, a
token to resume with, the last item's id as a marker, an offset, a page's number, a Link header. Where nothing speaks
for pages (HyperCore), there are none.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from compiler.ir.model import Api, Diagnostic, Operation, Paging, Resource, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names.post_lists import asked_in_body
from compiler.passes.outcome import Options, PassOutcome
from workflow.json.pointers import escape
from workflow.profiles.profile_speech import PagingRule

_SIZES = ("limit", "max", "top", "$top", "count", "per_page", "perpage", "page_size", "pagesize", "size", "maxresults",
          "max_results")  # fmt: skip
_OFFSETS = ("offset", "first", "skip", "$skip", "start")
_PAGES = ("page", "page_number", "pagenumber", "pagenum", "page_num")
_MARKERS = ("marker", "start_after", "starting_after", "last_id", "startafter")
_TOKENS = ("resume", "cursor", "page_token", "pagetoken", "next_token", "nexttoken", "continuationtoken", "continue",
           "continuation_token")  # fmt: skip
_TOKEN_MEMBERS = ("resume", "next_page_token", "nextpagetoken", "next_token", "nexttoken", "next_cursor", "nextcursor",
                  "continuationtoken", "continuation_token", "cursor", "next")  # fmt: skip
_LINKS = ("nextlink", "next_link", "@odata.nextlink", "next_page_url", "nextpageurl")
_SIZE = 100  # items a page: what many devices give anyway, and few refuse
_MOST = 100  # pages of one lookup: ten thousand things; more than that has to be asked for by its id


def run(api: Api, options: Options) -> PassOutcome:
    seeker = _Seeker(api, options.profile.paging)
    resources = tuple(
        replace(r, paging=seeker.paging_of(r), total=seeker.total_of(r)) if r.list else r for r in api.resources
    )
    inferred = [r for r in resources if r.paging is not None and not seeker.rule(r.list)]
    notes = []
    if inferred:
        first = inferred[0]
        assert first.paging is not None, "only those with pages are here"
        text = f"assumed that {len(inferred)} collections come in pages (here: {first.paging.evidence})"
        notes.append(Diagnostic("paging-assumed", Severity.NOTE, first.list, text, "say it in the profile's `paging`"))
    return PassOutcome(replace(api, resources=resources), tuple(notes))


class _Seeker:
    def __init__(self, api: Api, rules: tuple[PagingRule, ...]) -> None:
        self.schemas = SharedSchemas(api.schemas)
        self.operations = {o.key: o for o in api.operations}
        self.rules = rules
        self.ways: tuple[Callable[[Resource, Operation], Paging | None], ...] = (
            self._link, self._token, self._marker, self._offset, self._page, self._header, self._next,
        )  # fmt: skip

    def rule(self, key: str) -> PagingRule | None:
        return next((rule for rule in self.rules if re.search(rule.pattern, key)), None)

    def total_of(self, resource: Resource) -> str:
        rule = self.rule(resource.list)
        return rule.total if rule is not None else ""

    def paging_of(self, resource: Resource) -> Paging | None:
        operation = self.operations[resource.list]
        rule = self.rule(operation.key)
        if rule is not None:
            return _told(rule) if rule.by != "none" else None
        found = next((paging for way in self.ways if (paging := way(resource, operation))), None)
        return self._sized(found, operation) if found else None

    def _asked(self, operation: Operation) -> dict[str, Schema]:
        """What a list can be asked with: the query parameters by name, the members of its body by pointer."""
        return {**operation_parameters(operation), **asked_in_body(operation, self.schemas)}

    def _named(self, operation: Operation, names: tuple[str, ...]) -> str:
        """What is called by one of these names, best first."""
        plain = {asked.rpartition("/")[2].lower(): asked for asked in reversed(self._asked(operation))}
        return next((plain[name] for name in names if name in plain), "")

    def _sized(self, paging: Paging, operation: Operation) -> Paging:
        paging = replace(paging, is_in_body=paging.parameter.startswith("/"))
        name = self._named(operation, _SIZES)
        if not name or paging.by == "link" or name.startswith("/") != paging.is_in_body:
            return paging
        most = self.schemas.flat(self._asked(operation)[name]).get("maximum")
        return replace(paging, size_parameter=name, size=min(_SIZE, most) if isinstance(most, int) else _SIZE)

    def _members(self, operation: Operation) -> Mapping[str, Schema]:
        return self.schemas.members(operation.success.schema if operation.success else None)

    def _link(self, resource: Resource, operation: Operation) -> Paging | None:
        members = self._members(operation)
        held = resource.members.rpartition("/")[2].lower()
        name = next((n for n in members if n.lower() in (*_LINKS, f"{held}@odata.nextlink")), "")
        return Paging("link", at=f"/{escape(name)}", evidence=f"the list's {name} is the next page") if name else None

    def _token(self, _resource: Resource, operation: Operation) -> Paging | None:
        asked = self._named(operation, _TOKENS)
        at = next((n for n in self._members(operation) if n.lower() in _TOKEN_MEMBERS), "") if asked else ""
        return Paging("token", asked, f"/{escape(at)}", evidence=f"{asked} takes what {at} holds") if at else None

    def _marker(self, resource: Resource, operation: Operation) -> Paging | None:
        asked = self._named(operation, _MARKERS)
        if not asked or not resource.id_field:
            return None
        at = f"/{escape(resource.id_field)}"
        return Paging("last", asked, at, evidence=f"{asked} takes the last item's {resource.id_field}")

    def _offset(self, _resource: Resource, operation: Operation) -> Paging | None:
        asked, size = self._named(operation, _OFFSETS), self._named(operation, _SIZES)
        if not asked or not size:
            return None
        return Paging("items", asked, evidence=f"{asked} and {size} choose a part of the list")

    def _page(self, _resource: Resource, operation: Operation) -> Paging | None:
        asked = self._named(operation, _PAGES)
        schema = self.schemas.flat(self._asked(operation)[asked]) if asked else {}
        if self.schemas.kind(schema) not in ("integer", "number"):
            return None
        first = schema.get("default", schema.get("minimum", 1))
        return Paging("pages", asked, first=first if first in (0, 1) else 1, evidence=f"{asked} is a page's number")

    def _header(self, _resource: Resource, operation: Operation) -> Paging | None:
        has_link = operation.success is not None and "link" in operation.success.headers
        return Paging("link", at="header.link", evidence="the reply has a Link header") if has_link else None

    def _next(self, _resource: Resource, operation: Operation) -> Paging | None:
        """A text called `next` beside the list, which no parameter takes: an address."""
        is_there = self.schemas.kind(self._members(operation).get("next")) == "string"
        return Paging("link", at="/next", evidence="the list's next is the next page") if is_there else None


def operation_parameters(operation: Operation) -> dict[str, Schema]:
    return {p.name: p.schema for p in operation.parameters if p.location == "query"}


def _told(rule: PagingRule) -> Paging:
    return Paging(
        by=rule.by,
        parameter=rule.parameter,
        at=rule.at,
        size_parameter=rule.size_parameter,
        size=rule.size,
        first=rule.first,
        most=rule.most,
        evidence="the profile says so",
        is_in_body=rule.parameter.startswith("/"),
    )
