"""The judge of real servers finds what is false: each kind of claim that is not true is told as such."""

import pytest

from tests.peers.claims import Call, Told, judged

AT = "/zones/a"
SET = Call("set", {"kind": "B"}, AT, {"/kind": "B"})
DELETE = Call("delete", {}, AT, gone=True)
NO = Call("set", {"kind": "?"}, is_impossible=True)
READ = Call("read", reads=lambda outputs, picture: outputs["item"] == picture[AT])
A, B, NOTHING_LEFT = {AT: {"kind": "A"}}, {AT: {"kind": "B"}}, dict[str, object]()
SHOWN_A = ({"place": "/kind", "asked": "B", "found": "A"},)

FALSE = {
    "a success that is none": (SET, Told("succeeded"), A, A),
    "a success of what cannot be": (NO, Told("succeeded"), A, A),
    "verified, though the server shows otherwise": (SET, Told("unknown", verified="all"), A, A),
    "gone, though it is there": (DELETE, Told("succeeded"), A, A),
    "still there, though it is gone": (DELETE, Told("failed", may_be_done=("change",)), A, NOTHING_LEFT),
    "failed, though all is so": (SET, Told("failed", done=("change",)), A, B),
    "nothing was changed, though it was": (SET, Told("unknown"), A, B),
    "done, though nothing has changed": (SET, Told("failed", done=("change",)), A, A),
    "in part, though nothing has changed": (SET, Told("partial"), A, A),
    "a difference that the server does not show": (SET, Told("failed", differences=SHOWN_A), B, B),
    "what was read is another thing": (READ, Told("succeeded", outputs={"item": {"kind": "B"}}), A, A),
}
TRUE = {
    "a success": (SET, Told("succeeded", verified="all"), A, B),
    "gone": (DELETE, Told("succeeded"), A, NOTHING_LEFT),
    "refused": (NO, Told("failed"), A, A),
    "what was read": (READ, Told("succeeded", outputs={"item": {"kind": "A"}}), A, A),
}
UNCLEAR = {
    "unknown": (SET, Told("unknown", may_be_done=("change",)), A, B),
    "given up": (SET, Told("failed"), A, A),
    "it was so already": (SET, Told("failed"), B, B),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_claim_that_is_not_true_is_found(name: str) -> None:
    assert judged(*FALSE[name]).word == "false", name


@pytest.mark.parametrize("name", TRUE)
def test_a_claim_that_is_true_is_not_objected_to(name: str) -> None:
    assert judged(*TRUE[name]).word == "true", str(judged(*TRUE[name]))


@pytest.mark.parametrize("name", UNCLEAR)
def test_less_than_could_be_known_is_unclear_and_not_false(name: str) -> None:
    assert judged(*UNCLEAR[name]).word == "unclear", str(judged(*UNCLEAR[name]))
