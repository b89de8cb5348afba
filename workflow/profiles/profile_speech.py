"""How a device speaks, as parts of its profile: credentials and sessions, envelopes, headers, pages, jobs.

The upper half of `workflow.profiles.profile`, which has the whole and its reader; there the rules for all parts are
told.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Json = Any
OperationRef = Annotated[str, StringConstraints(pattern=r"^(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) /\S*$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$")]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/.*)?$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Part):
    """Where a value stands in a reply: a pointer into the body, a header's name or a cookie's name."""

    within: Literal["body", "header", "cookie"] = Field("body", description="The body, a header or a cookie.")
    at: str = Field(description="A pointer into the body, a header's name or a cookie's name.")
    transform: Literal["last_path_segment"] | None = Field(
        None, description="What is done with the value: an address is cut to its last segment."
    )


class SessionRule(Part):
    """How a session is opened, shown, known to be over, and closed."""

    login: OperationRef = Field(description="The operation that opens a session.")
    login_body: dict[str, Json] = Field(
        description="Its body; `{username}` and `{password}` stand for the target's credentials."
    )
    login_as: Literal["json", "form"] = Field(
        "json", description="How that is sent: as JSON, or as a form (the password grant of OAuth 2.0)."
    )
    token: Place = Field(description="Where the reply to the login carries the session's token.")
    send_as: Place = Field(description="Where requests carry it.")
    scheme: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$")] | None = Field(
        None, description="The word that stands before the token where a header carries it: `Bearer`."
    )
    expired_statuses: tuple[int, ...] = Field(
        (401,), description="A reply with one of these to a request that carried a session means: log in again once."
    )
    no_session_statuses: tuple[int, ...] = Field(
        (404, 405, 501),
        description="A login answered with one of these means that the device has no sessions: the next of `kinds` "
        "is used. A 401 counts only where it asks for HTTP Basic.",
    )
    expired_for_reads: tuple[int, ...] = Field(
        (),
        description="Further statuses that mean so where a read was answered with one. A change is not sent again for "
        "them: it may have been carried out.",
    )
    full_statuses: tuple[int, ...] = Field(
        (429, 503),
        description="A login answered with one of these says nothing of the credentials: no session is left, or the "
        "device is busy. It is tried again a little later, then the next of `kinds`.",
    )
    full_messages: tuple[str, ...] = Field(
        (
            "SessionLimitExceeded",
            "number of simultaneous sessions",
            "maximum number of sessions",
            "maximum number of user sessions",
            "too many sessions",
        ),
        description="Texts by which a refused login, whatever its status, says that no session is left; the case of "
        "letters does not count.",
    )
    logout: OperationRef | None = Field(None, description="The operation that closes a session.")
    address: Place | None = Field(
        None, description="Where the reply to the login says which URL closes the session (DELETE)."
    )

    def shown(self, token: str) -> str:
        """What stands where requests carry the token."""
        return f"{self.scheme} {token}" if self.scheme else token


class Auth(Part):
    """How a target's credentials are shown."""

    kinds: tuple[Literal["session", "basic", "bearer", "api_key", "none"], ...] = Field(
        ("none",), description="Ways to authenticate, in order of preference."
    )
    session: SessionRule | None = Field(None, description="How sessions work; needed where `kinds` has `session`.")
    api_key_header: str | None = Field(None, description="The header that carries an API key.")
    open_operations: tuple[OperationRef, ...] = Field((), description="Operations that need no credentials at all.")


class Envelope(Part):
    """How items and collections are wrapped, and where an error says what is wrong."""

    item: Literal["object", "one_element_list"] = Field(
        "object", description="`one_element_list` when reading one item answers a list of one."
    )
    item_at: dict[str, Pointer] = Field(
        {},
        description="Noun (`*`: all others) → pointer, in the reply that shows one thing, to the thing, where "
        "something is around it: `/server`; empty: nothing is.",
    )
    element_at: dict[str, Pointer] = Field(
        {},
        description="Noun (`*`: all others) → pointer, in an element of a list, to the thing, where something is "
        "around it.",
    )
    members: Pointer | None = Field(
        None, description="Pointer from the body of a collection to its list (empty when the body is the list)."
    )
    member_is_reference: bool = Field(
        False, description="Members are only `{reference_field: address}`, to be read one by one."
    )
    reference_field: str | None = Field(None, description="The member that holds the address of a thing.")
    error_messages: tuple[Pointer, ...] = Field(
        (), description="Pointers into an error's body; what they lead to is told first."
    )
    partial_success: str | None = Field(
        None, description="A property whose name ends so, in a successful reply, says that a part was refused."
    )
    unknown_item: tuple[Literal["empty_list", "not_found"], ...] = Field(
        ("not_found",), description="What reading an unknown id answers."
    )
    unknown_query_parameters: Literal["ignored", "refused"] = Field(
        "ignored", description="What the device does with query parameters that it does not know."
    )
    query: dict[Literal["expand", "select", "filter", "top", "skip"], str] = Field(
        {},
        description="Query parameters of reads of which the description is silent: purpose → `name` or `name=value`.",
    )
    unknown_body_properties: Literal["ignored", "refused"] = Field(
        "ignored", description="What the device does with body members that it does not know."
    )
    media_type: str = Field("application/json", description="The media type of bodies.")


class ServedDocument(Part):
    """Something that the device serves, without credentials, though the description does not name it."""

    path: Annotated[str, StringConstraints(pattern=r"^/\S*$")] = Field(description="Its whole path on the server.")
    body: Json = Field(description="What it answers; text for another media type than JSON.")
    media_type: str = Field("application/json", description="The body's media type.")


class Protocol(Part):
    """What every request and reply of the device has in common beyond HTTP; the twin speaks so."""

    request_headers: dict[HeaderName, str] = Field(
        {}, description="Headers of every request, the version of the API say; what a step sets itself stays as it is."
    )
    reply_headers: dict[str, str] = Field({}, description="Headers of every reply.")
    read_headers: dict[str, str] = Field({}, description="Further headers of replies to reads.")
    understood_headers: dict[str, tuple[str, ...]] = Field(
        {}, description="A request's header → the values that are understood; any other one is answered with 412."
    )
    unimplemented_query: str | None = Field(
        None, description="Query parameters whose names match and that nobody knows are answered with 501."
    )
    documents: tuple[ServedDocument, ...] = Field((), description="What is served besides the description.")

    def missing_from(self, given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The constant headers that a request with the headers `given` has yet to get."""
        names = {name.lower() for name, _ in given}
        return tuple((name, value) for name, value in self.request_headers.items() if name.lower() not in names)


class PagingRule(Part):
    """How lists come in pages, and how to ask for the next one; `none` where at most the replies tell."""

    pattern: str = Field("", description="The lists' `METHOD /path`; empty: every list.")
    by: Literal["items", "pages", "last", "token", "link", "none"] = Field(
        description="What leads to the next page: the number of items or pages so far, the last item's member `at`, "
        "the token at `at` in the reply, or the address there."
    )
    parameter: str = Field(
        "",
        description="The query parameter that takes it, or a pointer into the body of a POST; not for `link`.",
    )
    at: str = Field("", description="Pointer to the member, the token or the address; `header.link`: a Link header.")
    size_parameter: str = Field("", description="The query parameter that says how many items a page has.")
    size: int = Field(default=100, ge=1, description="Items a page.")
    first: int = Field(default=1, ge=0, description="The number of the first page.")
    most: int = Field(default=100, ge=1, le=1000, description="Pages that one lookup reads; more is a failure.")
    total: str = Field(
        "",
        description="Pointer to how many things there are, with which what came is compared; empty: the usual places, "
        "`none`: nowhere.",
    )


class Sign(Part):
    """A member whose value says something beside the state: a status, a message's id."""

    at: Pointer = Field(description="Pointer to the member, in the body of the poll.")
    values: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="The values that say so.")


class JobRule(Part):
    """A long-running change: where its handle stands in the reply, how to ask, when it is over."""

    name: str = Field("job", description="What people call such a job.")
    handle: Place = Field(description="Where the reply to the change carries the job's handle.")
    statuses: tuple[int, ...] = Field(
        (), description="Only replies with one of these carry a handle (empty: every success may)."
    )
    handle_empty_means_done: bool = Field(True, description="An empty handle says that there is nothing to wait for.")
    operations: tuple[OperationRef, ...] = Field(
        (), description="Only these start such a job (empty: every change whose reply can carry the handle)."
    )
    any_change: bool = Field(
        False,
        description="Any change may be answered by such a job, whether or not the description says so: the wait is "
        "planned for each, and skipped where the answer is final.",
    )
    never: tuple[str, ...] = Field(
        (),
        description="Patterns of operations that start none, though their statuses would carry a handle.",
    )
    poll: OperationRef = Field(description="The operation that tells how the job stands.")
    other_views: tuple[OperationRef, ...] = Field((), description="Other operations that show the same job.")
    parameter: str = Field(description="The path parameter of `poll` that takes the handle.")
    state: Pointer = Field(description="Pointer to the state in the body of the poll.")
    waiting: tuple[str, ...] = Field(description="States in which the job goes on.")
    succeeded: tuple[str, ...] = Field(description="States in which it has ended well.")
    failed: tuple[str, ...] = Field(description="States in which it has ended badly.")
    failed_if: tuple[Sign, ...] = Field(
        (), description="Signs that it has ended badly, though the state is one of those in which it ends well."
    )
    used_while_running: tuple[Sign, ...] = Field(
        (),
        description="Signs of a job that goes on until somebody uses what it shows, a console or a token: it is given "
        "out as it is, and not waited for.",
    )
    pending: tuple[str, ...] = Field(
        (),
        description="States, among those in which it goes on, in which it waits for somebody: a restart, say. A job "
        "that stays in one for `pending_s` is told as accepted, and not in force yet.",
    )
    pending_s: float = Field(default=30.0, gt=0, description="See `pending`.")
    stalled_s: float | None = Field(
        None, gt=0, description="Seconds after which a job that shows the same state and progress is not waited for."
    )
    away_s: float = Field(
        default=300.0, gt=0, description="Seconds that the device may be away while its own job runs (503, no answer)."
    )
    appears_s: float = Field(default=15.0, gt=0, description="Seconds until a new job can be asked for.")
    message: Pointer | None = Field(None, description="Pointer, in the body of the poll, to what the job says.")
    message_parameters: Pointer | None = Field(
        None, description="Pointer to the values that fill the message's places: `%@`, `%1`, `{0}`, `{name}`."
    )
    progress: Pointer | None = Field(None, description="Pointer, in the body of the poll, to how far it is.")
    created_id: Pointer | None = Field(
        None, description="Pointer, in the reply to the change, to the id of what it made."
    )
    result: Pointer | None = Field(
        None,
        description="Pointer, in the finished job's body, to what it produced (empty: the whole body).",
    )
    result_view: OperationRef | None = Field(
        None, description="The one of `other_views` that shows the result, where it is not the polled one."
    )
    interval_s: float = Field(default=1.0, gt=0, description="Seconds between two polls.")
    timeout_s: float = Field(default=600.0, gt=0, description="Seconds after which nobody waits any more.")
