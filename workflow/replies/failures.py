"""What a failed run says: codes, texts and remedies.

Here lives the wording, in one place; what fails and when is in `interpreter`. A document may give its own code and
text to each step and action (`x-switchgear`); a code of the document without an entry here gets the general remedy.
Values put into a text are cut and stripped of control characters: replies of a device end up in front of people and
models. A message never holds a request's or a reply's body unless the document asks for it.
"""

from collections.abc import Mapping

from workflow.documents.scope import Scope
from workflow.documents.templates import Template, text_of
from workflow.json.pointers import NOTHING
from workflow.visible import quotable

VALUE_LENGTH = 300  # a name, a state, a device's sentence; more is no message

GENERAL_REMEDY = "See what the message says, and call again when it is put right."
REMEDIES: Mapping[str, str] = {
    "invalid_input": "Correct the input and call again; nothing was sent.",
    "nothing_given": "Nothing was sent. Give what is to be changed, and call again.",
    "unsafe_value": "Give a value without control characters that is neither empty nor dots; it was not sent.",
    "missing_value": "An earlier step did not yield this value; see whether the thing exists and is complete.",
    "not_found": "Check the name or id, or list what there is.",
    "ambiguous": "Several things fit; give the id instead of the name.",
    "wrong_state": "Bring it into the state that is needed, then call again.",
    "not_offered": "Nothing was sent. Compile the description of this firmware again and have it approved.",
    "not_allowed": "Nothing was sent. Call again with a value that the device allows.",
    "unexpected_status": "See what the device says to this status, put it right and call again.",
    "changed_meanwhile": "Nothing was changed by this step. See what somebody made of it, then call again.",
    "version_refused": "Nothing was changed by this step. Call again; if it stays so, report it to the device's maker.",
    "unexpected_reply": "The reply was not as the workflow expects; look at the device before you call again.",
    "bad_reply": "See what is at the target's address; if it is the device, report its answer to whoever makes it.",
    "unreachable": "See whether the target is up and reachable, then call again.",
    "retries_exhausted": "It did not get there in time; look at the device before you call again.",
    "timeout": "It did not get there in time; look at the device before you call again.",
    "deadline": "The whole run took too long; look at the device before you call again.",
    "cancelled": "Nothing more is sent. Call again to start anew.",
    "refused": "Nothing was sent; remove the reason and call again.",
    "unrecorded": "The device is not to blame: see what the server's database lacks (/ready), then call again.",
    "unable": "The device is not to blame: see how many files this server's process may open, then call again.",
    "job_failed": "The device began and gave up; see its message, put it right and call again.",
    "loop_limit": "The workflow went round without an end; correct the workflow.",
    "too_many": "Ask for fewer: give the id where the workflow takes one, or raise `paging.most` in the profile.",
    "not_a_list": "Nothing is known of what there is. See what the device says instead, and call again when it lists.",
    "gone_meanwhile": "It is gone by this call or by another, or it is not at this address: look whether it is there.",
    "another_thing": "What the device shows says nothing of the thing that is meant: look at the device itself.",
    "nothing_shown": "Nothing is known of what there is. See what the device says, and call again when it shows it.",
    "list_incomplete": "Give the id, or look at the device itself: nobody knows what it did not list.",
    "page_loop": "The device's pages lead in a circle. Give the id, or look at the device itself.",
    "page_elsewhere": "The device leads to another address than the list's; look at it before you call again.",
    "not_carried_out": "The device failed and shows that it was not done; see what it says, then call again.",
    "fits_nothing": "See by a read what there is that it could be done to, and ask for that.",
    "not_taken": "The device accepts this and leaves it as it was: see what it says, and which values it takes.",
    "there_already": "Change what is there, or ask for a new one by another name; see what became of what was there.",
    "changed_though_refused": "The device did not do this, and something came of it: look at it, and see what it says.",
    "partly_taken": "What is named was not taken: see why at the device, then call again with the rest.",
    "refused_within": "Nothing was changed by this step. See what the device says, put it right and call again.",
    "answers_missing": "Read the things that were asked for to see which requests were carried out.",
    "partly_refused": "See what the device says, and read the thing to see which part was taken.",
    "not_reached": "Look at the device: it may still get there, or something keeps it from it.",
    "not_seen": "It was accepted; look whether it is there before you ask for it again.",
    "still_there": "It was accepted; look again in a while before you ask once more.",
    "unknown_fate": "The request may have been carried out: look at the device, and call again only if it was not.",
}
# Of what was not taken where nothing of it is shown: nobody knows that it is as it was.
NOT_SHOWN = "The device accepts this and shows nothing of it: it ignores it, or leaves out what is as by default."


def code_of(status: int) -> str:
    """What it is that a reply of this status does not fulfil a step: 412 speaks of the version that was sent along."""
    if 200 <= status < 300:
        return "unexpected_reply"
    return "changed_meanwhile" if status == 412 else "unexpected_status"  # RFC 9110, 15.5.13


def leads_to(status: int, headers: Mapping[str, str]) -> str:
    """Of a redirect that was not followed where it leads, so that the target's address can be put right."""
    place = headers.get("location", "") if 300 <= status < 400 else ""
    return f", a redirect to {quotable(place)[:VALUE_LENGTH]} which is not followed" if place else ""


def remedy_of(code: str) -> str:
    return REMEDIES.get(code, GENERAL_REMEDY)


def said(template: Template, scope: Scope) -> str:
    """The text with its values, each cut and made printable; a value that is not there leaves nothing."""
    pieces = (part if isinstance(part, str) else _value(part.evaluate(scope)) for part in template.parts)
    return "".join(pieces)


def _value(value: object) -> str:
    if value is NOTHING:
        return ""
    text = quotable(text_of(value))
    return text if len(text) <= VALUE_LENGTH else text[:VALUE_LENGTH] + "…"


def after_failure(done: tuple[str, ...], code: str) -> str:
    """The remedy, with a warning where steps before took effect."""
    if not done or code == "unknown_fate":
        return remedy_of(code)
    return f"{remedy_of(code)} What was done before stays done: {', '.join(done)}."
