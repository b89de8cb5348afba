"""What a device means by its answer to a login: a session, a wrong password, none left, or no sessions at all.

Only 401 and 403 speak of credentials, and not even they where the device says that its sessions are used up. The
device's own sentence is told in all cases. Which statuses and texts mean what is the profile's `auth.session`. Pure.
Called by `admission`; a session's fields and requests are the business of `sessions`.
"""

from typing import Any

import orjson

from runtime.driver.credentials.sessions import DeviceSession, NoSessions, found_in, own_path
from runtime.driver.wire import Address, WireReply
from runtime.errors import NotAdmitted, Refused, TargetError
from runtime.secrets import Vault
from workflow.profiles.profile_speech import Envelope, SessionRule
from workflow.replies.device_messages import sentences
from workflow.replies.retry_after import seconds_asked_for

Json = Any
CREDENTIALS = "check the credentials that the target refers to"
FULL = "close a session at the device, or wait until one has ended, then call again"
BUSY = "see what the device says, and call again when it has put this right; the credentials are not in question"
LONGEST_WAIT_S = 30.0
# What is longer no server takes in a header.
LONGEST_TOKEN = 8_192
# Of a body that is searched for texts: a message stands near its beginning.
MOST_SEARCHED = 20_000


def session_from(
    rule: SessionRule, reply: WireReply, address: Address, vault: Vault, envelope: Envelope
) -> DeviceSession:
    """The session that `reply` to a login at `address` opened.

    Raises NotAdmitted where there is none now, and Refused where it opened none, NoSessions among them.
    """
    if not 200 <= reply.status < 300:
        raise _refusal(rule, reply, _quoted(reply, envelope, vault))
    token = found_in(rule.token, reply)
    if not token:
        place = f"{rule.token.within} {rule.token.at}"
        message = f"the reply to {rule.login} holds no token in its {place}"
        raise Refused(message, "correct auth.session.token of the profile")
    if len(token) > LONGEST_TOKEN:
        message = f"the reply to {rule.login} holds a token of {len(token)} characters"
        raise Refused(message, "check what answers at the target's address")
    vault.remember_token(token, address.origin)
    return DeviceSession(token, own_path(found_in(rule.address, reply), address.prefix) if rule.address else None)


def _refusal(rule: SessionRule, reply: WireReply, said: str) -> TargetError:
    status, answered = reply.status, f"{rule.login} was answered with {reply.status}{said}"
    if status in rule.no_session_statuses and (status != 401 or _asks_for_basic(reply)):
        return NoSessions(f"there is no session service: {answered}")
    wait_s = seconds_asked_for(dict(reply.headers), LONGEST_WAIT_S)
    if _says_full(rule, reply):
        return NotAdmitted(f"the target has no session left: {answered}", FULL, wait_s)
    if status in rule.full_statuses or status >= 500 or status in (408, 425, 429):
        return NotAdmitted(f"the target opens no session now: {answered}", BUSY, wait_s)
    if status < 400:
        place = reply.header("location") or "nowhere"
        remedy = "correct the target's address, or auth.session.login of the profile; credentials are not sent on"
        return Refused(f"the login is redirected: {answered}, which leads to {place[:200]}", remedy)
    if status in (401, 403):
        # Not quoted: what a device says of credentials may hold them, in a form that nobody could mask.
        return Refused(f"the target did not let us in: {rule.login} was answered with {status}", CREDENTIALS)
    remedy = "see what the device says, then the credentials and auth.session of the profile"
    return Refused(f"the target did not take the login: {answered}", remedy)


def _says_full(rule: SessionRule, reply: WireReply) -> bool:
    body = reply.body
    text = body if isinstance(body, str) else orjson.dumps(body).decode() if body is not None else ""
    shown = text[:MOST_SEARCHED].lower()
    return any(each.lower() in shown for each in rule.full_messages)


def _quoted(reply: WireReply, envelope: Envelope, vault: Vault) -> str:
    """The device's first sentences as a quotation behind ours; empty where it says nothing."""
    told = sentences(reply.status, dict(reply.headers), vault.redact(reply.body), envelope, vault.redact)
    return f": “{' '.join(told[:2])}”" if told else ""


def _asks_for_basic(reply: WireReply) -> bool:
    """Whether a 401 says that HTTP Basic is wanted, rather than another password."""
    challenges = [value for name, value in reply.headers if name == "www-authenticate"]
    return any(part.split()[:1] in (["basic"], ["Basic"]) for value in challenges for part in value.split(","))
