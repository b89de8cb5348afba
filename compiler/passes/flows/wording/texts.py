"""Names and texts of workflows: what operators and agents read. At most 60 words, no vendor prose.

Names are `api_verb_noun` in snake case, at most 64 characters (what MCP clients accept).
"""

import unicodedata
from collections.abc import Sequence

from compiler.ir.model import Effect, Operation, Role
from compiler.passes.flows.wording import linter as wording
from compiler.passes.identity import picking
from compiler.passes.names import words
from compiler.passes.names.paths import (
    GROUPING,
    STATES,
    is_pass_through,
    last_word,
    parameter_of,
    segments,
    shape,
    stands_for_item,
    without_ending,
)
from compiler.passes.names.words import first_sentence
from compiler.proposer.wording import fault_of_description
from workflow.documents.path_queries import parted
from workflow.risks import Risk

NAME_LENGTH = 64
_MOST_WORDS = 60
_MOST_ORIGINAL = 80  # characters
_LAST_LATIN = 0x24F  # Unicode, Latin Extended-B
_SPOKEN_AS_WORDS = frozenset({"RAID", "NIC", "LAN", "SAN", "RAM", "ROM", "SATA", "SCSI", "LUN", "MAC"})
_TOWARDS = frozenset({"to", "into", "from"})
_TAKING = frozenset({"remove", "delete", "detach", "revoke", "unassign", "unbind", "unmap"})
_GIVING = frozenset({"add", "attach", "assign", "insert", "apply", "bind", "map"})
_LAST_OF_VERBS = frozenset({"start", "off", "on", "up", "down", "out", "in", "back", "away"})
# A path often names what is done by its noun: `POST /pods/{name}/eviction`.
_DONE_BY_NOUN = {
    "eviction": "evict", "rotation": "rotate", "revocation": "revoke", "activation": "activate", "binding": "bind",
    "deactivation": "deactivate", "migration": "migrate", "termination": "terminate", "registration": "register",
    "cancellation": "cancel", "deletion": "delete", "removal": "remove", "restoration": "restore", "renewal": "renew",
    "approval": "approve", "rejection": "reject", "suspension": "suspend", "resumption": "resume",
    "execution": "execute", "verification": "verify", "synchronization": "synchronize", "replication": "replicate",
    "dismissals": "dismiss", "undismissals": "undismiss",
}  # fmt: skip
# What an operation's id says is done, where the method says no more than that something is sent.
_VERBS_WITHIN = frozenset(
    [
        "create",
        "generate",
        "configure",
        "write",
        "renew",
        "verify",
        "sign",
        "encrypt",
        "decrypt",
        "rewrap",
        "issue",
        "login",
        "import",
        "restore",
        "update",
    ]
)
_WITHIN = 2  # segments at least before what is done within a thing
_WRITING = frozenset({"set", "add", "change", "enable", "disable", "replace", "assign"})
_NO_READS = frozenset({"manage", "configure", "create", "write", "update", "set", "register", "enable"})
_VERBS_OF_ITEMS = {"POST": "submit", "PUT": "set", "PATCH": "set", "GET": "read", "DELETE": "remove"}
_RISK_TEXT = {
    Risk.READ: "Changes nothing.",
    Risk.CHANGE: "",
    Risk.DISRUPT: "May interrupt service.",
    Risk.DESTROY: "What is removed cannot be brought back.",
}


def an(name: str) -> str:
    """`a VM`, `an ISO image`, `the DNS settings`: by sound, as far as spelling tells; none for what is not counted."""
    last = name.rpartition(" ")[2].lower()
    if not name:
        return ""
    if last in words.UNCOUNTED or words.singular(last) != last:
        return f"the {name}"
    first = name.split(" ")[0]
    vowels = name[:1].lower() in "aeiou" and not name.lower().startswith(("uni", "use", "uti", "one", "eu"))
    spelled = first.isupper() and first[:1] in "FHLMNRSX" and len(first) <= 4 and first not in _SPOKEN_AS_WORDS
    return f"an {name}" if vowels or spelled else f"a {name}"


def opened(text: str) -> str:
    """The text with a capital at its start; a word with capitals of its own (iDRAC, eSATA) stays as it is spelled."""
    first = text.split(" ")[0]
    return text if first != first.lower() else text[:1].upper() + text[1:]


def doing(verb: str, name: str) -> str:
    """What is done to what: `start VM`, `reset iDRAC to defaults`, `blink target of RAID controller`.

    A name that the verb says already is not said again. `name` may have its article.
    """
    said = words.spoken(verb).split(" ")
    bare = name.removeprefix("the ").removeprefix("an ").removeprefix("a ")
    if not bare or _singulars(bare) <= _singulars(" ".join(said)):
        return " ".join(said)
    if said == ["wait"]:
        return f"wait for {name}"
    if len(said) == 1 or _ends_as_verb(said):
        return f"{' '.join(said)} {name}"
    if words.singular(said[-1]) in ("".join(bare.lower().split(" ")), "".join(bare.lower().split(" ")[1:])):
        return f"{' '.join(said[:-1])} {words.plural(bare) if words.singular(said[-1]) != said[-1] else bare}"
    if said[1] in _TOWARDS | {"by"} and "and" not in said:
        return " ".join((said[0], name, *said[1:]))
    between = "to" if said[0] in _GIVING else "from" if said[0] in _TAKING else "of"
    return f"{' '.join(said)} {between} {name}"


def _ends_as_verb(said: Sequence[str]) -> bool:
    """`power off`, `secure erase`, `stop and delete`; not `get status`, `start power`, whose last word is no verb."""
    if said[-2] in ("and", "or"):
        return True
    if said[-1] == "power":
        return False
    return said[-1] in _LAST_OF_VERBS or (_is_verb(said[-1]) and not _is_verb(said[0]))


def _is_verb(word: str) -> bool:
    vocabularies = (words.READING, words.DESTROYING, words.DISRUPTING, words.MAKING)
    return any(word.lower() in known for known in vocabularies)


def _singulars(text: str) -> set[str]:
    return {words.singular(word) for word in words.snake(text).split("_")}


def action_id(api: str, verb: str, noun: str) -> str:
    """Like `flow_id`; a noun that the verb names already is not said twice (`replace_certificate_certificates`)."""
    said = words.snake(verb).split("_")
    if words.singular(said[-1]) == words.snake(noun).replace("_", ""):  # `remove all podtemplates`, of pod templates
        return flow_id(api, "_".join(said[:-1]), words.plural(noun) if words.singular(said[-1]) != said[-1] else noun)
    return flow_id(api, verb, "" if _singulars(noun) <= _singulars(verb) else noun)


def flow_id(api: str, verb: str, noun: str) -> str:
    """`hypercore_start_vm`; cut at a word when it is too long."""
    parts = [words.of_api(api), *words.snake(verb).split("_"), *(words.snake(noun).split("_") if noun else ())]
    kept: list[str] = []
    for part in parts:
        if kept and kept[-1] == part:
            continue
        if len("_".join([*kept, part])) <= NAME_LENGTH:
            kept.append(part)
    return "_".join(kept)


def verb_of(operation: Operation) -> str:
    """The words of an action: its last literal segment, or what the method says where that is the noun itself."""
    last = segments(operation.path)[-1] if segments(operation.path) else ""
    said = words.spoken(without_ending(last_word(operation.path)))
    is_file = operation.body is not None and "json" not in operation.body.media_type and operation.method == "PUT"
    if is_pass_through(operation.path):
        return f"send {operation.method}{'' if parameter_of(last) else ' to root'} through proxy"
    if parameter_of(last):
        told = words.split(operation.name) if operation.method == "POST" else ()
        verb = next((word for word in told if word in _VERBS_WITHIN), "")
        first = words.split(said)[:1]
        if verb and not words.is_about(words.split(said), frozenset({verb})):
            return verb
        if verb and first == (verb,):
            return said  # `POST /issue/{role}`, called “issue with role”
        if operation.method == "POST" and first and first[0] in wording.KNOWN_VERBS - wording.AS_NOUNS:
            return said  # `POST /rotate-role/{name}`
        if operation.method == "POST" and operation.risk is Risk.READ:
            return "get"  # what only asks submits nothing
        return _VERBS_OF_ITEMS.get(operation.method, operation.method.lower())
    if is_file and words.split(said)[:1] != ("upload",):
        return f"upload {said}"
    if operation.method == "DELETE":
        if said in ("delete", "remove") and len(segments(operation.path)) > 1:  # `DELETE …/stopwatch/delete`
            return f"remove {words.spoken(segments(operation.path)[-2])}"
        is_whole = "collection" in f"{operation.description} {operation.name}".lower()
        is_named = "{" in last or (operation.body is not None and not is_whole)
        is_named = is_named or bool(parted(operation.path)[1])  # `?tagKeys=`: those that the query names
        if not is_named and _says_which(operation):
            return f"remove {words.singular(said)}"
        is_one = words.plural(said) != said and words.singular(said) == said  # `DELETE /users/{name}/server`
        return f"remove {said}" if is_named or is_one else f"remove all {words.plural(said)}"
    if operation.method in ("PUT", "PATCH"):
        first = words.split(said)[:1]
        is_verb = any(words.is_about(first, known) for known in (words.DISRUPTING, words.DESTROYING, words.READING))
        is_verb = is_verb or _is_done(operation, said)
        verb = "update" if operation.method == "PATCH" else "set" if words.singular(said) == said else "replace"
        return said if is_verb or words.is_about(words.split(said), words.MAKING) else f"{verb} {said}"
    if operation.method == "POST" and operation.effect is Effect.ACT:
        return "create" if said == "new" else _DONE_BY_NOUN.get(said, said)
    if operation.method == "QUERY":
        return f"query {said}"
    if operation.method == "GET":
        if stands_for_item(operation.path):
            return "describe"
        told = words.split(operation.name)
        if operation.effect is Effect.ACT:
            verb = next((word for word in told if word in _VERBS_WITHIN), "")
            return f"{verb} {said}" if verb and verb not in words.split(said) else said
        if "list" in told and not {"get", "read"} & {*told}:
            return f"find {words.plural(said)}"
        return said if words.is_about(words.split(said)[:1], words.READING | {"filter"}) else f"get {said}"
    return said


def done_within(operation: Operation, verb: str, owner: str) -> str:
    """`flush cache` for `PUT /servers/{id}/cache/flush`: what it is done to stands before the verb.

    Likewise `bind floating IP` for `/servers/{id}/floating-ips/{ip}/bind`, where no more is known of one. `owner`: the
    address of what the workflow is about.
    """
    said = segments(operation.path)
    within = said[-2] if len(said) > _WITHIN and parameter_of(said[-3]) else ""
    if len(said) > _WITHIN + 1 and parameter_of(said[-2]) and parameter_of(said[-4]):
        within = words.singular(said[-3]) if shape(owner) == shape(f"/{'/'.join(said[:-3])}") else ""
    is_bare = verb in wording.KNOWN_VERBS and verb not in words.READING and words.snake(said[-1]) == words.snake(verb)
    says_nothing = within.lower() in GROUPING | wording.KNOWN_VERBS | STATES  # `/vms/{id}/status/start` starts the VM
    if not is_bare or not within or parameter_of(within) or says_nothing:
        return verb
    return f"{verb} {words.spoken(within)}"


def _says_which(operation: Operation) -> bool:
    """`DELETE /volumes?names=v1`, or one that needs an id; an id that may be left out only filters what all goes."""
    ends = ((p, words.split(p.name)[-1]) for p in picking(operation))
    return any(p.is_required or words.singular(end) != end for p, end in ends)


def _is_done(operation: Operation, said: str) -> bool:
    """`PUT /zones/{id}/notify` sends nothing that could be set; `PATCH …/setNote` says itself what it does, and
    `PUT …/resize-disk` does so with its summary.
    """
    first, *rest = words.split(said) or ("",)
    is_told = (first,) == words.split(operation.summary or operation.name)[:1]
    if is_told and rest and first in wording.KNOWN_VERBS - wording.AS_NOUNS:
        return True
    if is_told and (operation.body is None or (not rest and first in wording.KNOWN_VERBS)):
        return True
    if operation.body is None and (rest or first not in wording.AS_NOUNS):
        return not (wording.KNOWN_VERBS - wording.AS_NOUNS).isdisjoint((first, *rest))
    return bool(rest) and first in _WRITING


def describe(parts: Sequence[str], risk: Risk) -> str:
    """The sentences joined, with the risk's own, cut to the most words at a sentence."""
    text, count = [], 0
    for part in (*parts, _RISK_TEXT[risk]):
        size = len(part.split())
        if part and count + size <= _MOST_WORDS:
            text.append(part)
            count += size
    return " ".join(text)


def joined(description: str, sentence: str) -> str:
    """The description with one sentence more, where that fits."""
    fits = len(description.split()) + len(sentence.split()) <= _MOST_WORDS
    return f"{description} {sentence}" if fits else description


def with_original(description: str, operation: Operation) -> str:
    """The description with the vendor's own words beside names that had to be transliterated."""
    said = next((text for text in (operation.summary, operation.name, operation.path) if text), "")
    own = first_sentence(said, _MOST_ORIGINAL).rstrip(".")
    is_foreign = any(ord(c) > _LAST_LATIN and c.isalpha() for c in own)
    is_plain = all(c.isalnum() or unicodedata.combining(c) or c in " .,:()-/_{}" for c in own)
    # A command to whoever reads is one in any script: what it sounds like is judged as well.
    is_fit = is_plain and not fault_of_description(words.spoken(own).capitalize() + ".", _MOST_WORDS)
    return joined(description, f"In the API's words: “{own}”.") if is_foreign and is_fit else description


def course(steps: Sequence[tuple[Role, str]]) -> str:
    """How the steps go, in one sentence: looks up, checks, waits, reads back."""
    roles = [role for role, _ in steps]
    told = []
    if Role.WAIT in roles:
        told.append("waits until the job is over")
    if Role.READ_BACK in roles:
        told.append("reads the outcome back")
    if Role.GONE in roles:
        told.append("checks that it is gone")
    if not told:
        return ""
    text = " and ".join(told)
    return f"{opened(text)}."


def purpose(operation: Operation) -> str:
    """What the description says that an action does, one short sentence; "" where it only repeats the name."""
    said = operation.summary or operation.description
    text = first_sentence(said, 100)
    if operation.effect is Effect.READ and words.split(text)[:1] and words.split(text)[0] in _NO_READS:
        return ""  # that of the whole address, whatever is asked of it
    if operation.method == "DELETE" and words.split(text)[:1] and words.split(text)[0] in _NO_READS | words.MAKING:
        return ""  # likewise
    # A vendor's prose may address whoever reads it; such a text is left out, and the name has to do.
    if len(text.split()) < 3 or fault_of_description(text, _MOST_WORDS):
        return ""
    return text.rstrip(".") + "."
