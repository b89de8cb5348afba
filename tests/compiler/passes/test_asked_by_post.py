"""Reads that are POSTs: only where all of an API is, and where name, text and answer alike only ask."""

from dataclasses import replace

import pytest

from compiler.ir.model import Api, Effect, Operation, Response
from compiler.passes import effects
from compiler.passes.outcome import Options
from workflow.profiles.profile import Profile
from workflow.risks import Risk

_SHOWN = Response("200", "", "application/json", {"type": "object", "properties": {"things": {"type": "array"}}})


def _post(name: str, description: str = "") -> Operation:
    return Operation(
        "POST", f"/{name}", f"#/{name}", name, operation_id=name, description=description, responses=(_SHOWN,)
    )


_READS = tuple(_post(f"Describe{kind}", f"Describes one or more {kind}.") for kind in ("Clusters", "Nodes", "Volumes"))
_CHANGES = tuple(
    _post(f"{verb}Cluster", f"{verb}s a cluster.") for verb in ("Create", "Update", "Delete", "Register", "Tag")
)


def _judged(*operations: Operation) -> dict[str, Operation]:
    api = Api("t", "t", "1", "d", "", operations)
    return {one.operation_id: one for one in effects.run(api, Options(Profile(api="t"))).api.operations}


def test_where_all_is_sent_by_post_what_only_asks_is_a_read_that_nobody_is_told_is_safe() -> None:
    found = _judged(*_READS, *_CHANGES)
    assert {found[one.operation_id].risk for one in _READS} == {Risk.READ}
    assert not any(one.is_safe for one in found.values())
    assert found["CreateCluster"].risk is Risk.CHANGE
    assert found["DeleteCluster"].risk is Risk.DESTROY


def test_where_things_are_read_by_get_a_post_that_asks_is_a_change() -> None:
    gets = tuple(
        replace(one, method="GET", path=f"{one.path}/now", operation_id=f"{one.operation_id}Now") for one in _READS
    )
    found = _judged(*_READS, *_CHANGES, *gets)
    assert found["DescribeNodes"].risk is Risk.CHANGE


def test_where_nothing_says_that_it_changes_no_verb_tells_what_asks() -> None:
    others = tuple(_post(f"Thing{n}", "Something.") for n in range(8))
    assert _judged(*_READS, *others)["DescribeNodes"].risk is Risk.CHANGE


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("GetNodes", ""),
        ("GetOpenIdToken", "Gets an OpenID token."),
        ("GetLoginUrl", "Returns where to log in."),
        ("GetNextJob", "Returns the next job."),
        ("GetJob", "Returns a job. Also marks it as running, and assigns it."),
        ("GetOrCreateNode", "Returns a node."),
        ("ListMessages", "Lists the messages and acknowledges them."),
        ("DescribeNode", "Restarts the node and shows it."),
        ("RetrieveTape", "Retrieves the tape. The tape is read-only."),
    ],
)
def test_a_name_alone_or_a_word_of_more_makes_it_a_change(name: str, description: str) -> None:
    found = _judged(*_READS, *_CHANGES, _post(name, description))[name]
    assert found.risk is not Risk.READ
    assert found.effect is not Effect.READ
