"""What makes a workflow be wanted less often than others of its kind: `ranking` takes it off.

What keeps the API itself going (its tokens, accounts, certificates, templates, settings), what is done to whole
collections or sent to somebody behind the API, lists of all where another is asked, and files. Judged by words and
places that any API has; weights by judgement.
"""

from compiler.ir.model import Flow
from compiler.passes.flows.context import Context
from compiler.passes.flows.weighing import is_telling
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, is_pass_through, last_word, path_of, segments
from workflow.risks import Risk

ALIAS_COST = 0.2  # where the same things stand in two places, the other one is asked
_SIDE_COST = 0.2  # administration of the API itself
_GROUP_COST = 0.1  # what stands among what administers (`/auth/roles`)
_BULK_COST = 0.4  # what is done to several or all at once
_PASSED_ON_COST = 0.4  # what is sent to somebody behind the API
_FILE_COST = 0.1  # what answers a file: nobody reads it in an answer
_SIDE = frozenset(
    words.split(
        "account certificate template token license schema version config setting log audit webhook plugin permission "
        "policy session login auth oauth ssh key mount lease tenant cert csr acl journal bookmark dashboard widget "
        "subscription tag metadata notification"
    )
)
_BULK = frozenset({"bulk", "batch", "several"})
_OF_FILES = frozenset({"export", "download", "archive", "dump"})
_OF_MANY = frozenset({"prune", "purge"})


def costs(context: Context, flow: Flow) -> float:
    """How much less, of a rank between 0 and 1."""
    path = path_of(flow.goal)
    cost = _PASSED_ON_COST if is_pass_through(path) else 0.0
    cost += ALIAS_COST if _lists_all(context, flow) else 0.0
    cost += _BULK_COST if _is_bulk(context, flow, path) else 0.0
    cost += _FILE_COST if _answers_file(context, flow) else 0.0
    return cost + _of_administration(flow, path)


def _lists_all(context: Context, flow: Flow) -> bool:
    is_list_of_all = flow.intent == "find" and flow.title.startswith("Find all ")
    return is_list_of_all and sum(1 for r in context.by_noun.get(flow.resource, ()) if r.list) > 1


def _is_bulk(context: Context, flow: Flow, path: str) -> bool:
    """Whether it is done to several things, or to all of them."""
    said = words.split(flow.title)
    if not _BULK.isdisjoint(said) or not _OF_MANY.isdisjoint(said[:1]):
        return True
    changes = not ends_in_parameter(path) and flow.goal.split(" ")[0] in ("PATCH", "PUT", "DELETE")
    return changes and any(other.startswith(path.rstrip("/") + "/{") for other in context.paths)


def _answers_file(context: Context, flow: Flow) -> bool:
    if flow.risk is not Risk.READ:
        return False
    success = context.operations[flow.goal].success
    kind = success.media_type if success else ""
    is_text = not kind or any(text in kind for text in ("json", "text", "xml", "yaml", "*/*"))
    return not is_text or not _OF_FILES.isdisjoint(words.split(flow.title)[:1])


def _of_administration(flow: Flow, path: str) -> float:
    if not _is_side(flow.resource):
        return _GROUP_COST if any(_is_side(part) for part in segments(path) if "{" not in part) else 0.0
    is_of_one = is_telling(last_word(path)) and ends_in_parameter(path.rpartition("/")[0])  # a container's own log
    return 0.0 if is_of_one and flow.risk is Risk.READ else _SIDE_COST


def _is_side(noun: str) -> bool:
    said = words.singulars(noun)
    return bool(said & _SIDE) or any(word.endswith("account") for word in said)  # also `serviceaccounts`
