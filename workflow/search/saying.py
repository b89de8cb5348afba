"""What somebody says in plainer words of the same meaning, before it is taken apart into ideas.

Short forms are written out, quantities and addresses are numbers, a value whose form tells what it is of becomes the
word for that (a share, a range of addresses, an image), and words that only fill are left out. Pure and about no API;
called by `question`.
"""

import re

_DENIED = re.compile(r"n['’]t\b")
_CONTRACTED = re.compile(r"\b(what|who|where|how|when|why|which|there|here|it|that|he|she)['’]s\b")
# "the VM's disk" is about a VM.
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b")
_ADDRESS = re.compile(r"\b(\d{1,3})(?:\.\d{1,3}){3}\b")
# What the form of a value tells of it.
_TOLD_BY_FORM = (
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "mailbox"),
    (re.compile(r"(?:\\\\|(?<![\w:])//|\b(?:smb|cifs|nfs)://)[\w.-]+[\\/:]\S*"), "share"),
    (re.compile(r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"), "0"),
    (re.compile(r"\bhttps?://[\w.-]+(?::\d+)?(?![\w./-]*\.(?:iso|img|qcow2|vmdk|vhdx)\b)[/\w.-]*"), "0"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}\b"), "cidr"),
    (re.compile(r"(?<![\w.-])[\w.-]*\w\.(iso|img|qcow2|vmdk|vhdx)\b"), r"\1"),
)
# What of a thing is asked is less than which thing: "which rack is server7 in".
_WHICH_OF_IT = re.compile(r"^\W*(?:which|what) (\w+(?: \w+)?) (?:is|are) (.+?) (?:in|on|at|under)\W*$")
# That there is one is asked, of what is there.
_AVAILABLE = re.compile(r"\b(are|is) there ([^,;.?!]+) available\b")
# What it is to be called says nothing of what it is.
_RENAMED = re.compile(r"\b(rename .+?) to [\w.-]+")
# Whatever it is called by says nothing of what it is.
_CALLED = re.compile(r"(?<=\w) (?:called|named) [\w.-]+")
# No name of a thing: "a 500gb disk", "4vcpus" is four of what has a name.
_QUANTITY = re.compile(
    r"\b(\d+)(?:[.,]\d+)?(?:[kmgtp]i?b?|gigs?|[kmg]hz|[kmg]?bit|[kmg]bps|k?w|watts?|min|h|s|ms|%)(?!\w)"
)
_MANY = re.compile(r"\b(\d+)x?(?=(?:v?cpu|core|disk|drive|nic|vm|node)s?\b)")
# "On which node does it run" asks as "which node" does.
_ASKED_OF = re.compile(
    r"^\W*(?:and |so |but )?(?:at|by|for|from|in|on|over|since|through|to|under|until|with)"
    r"(?= (?:what|which|whose|whom|where|when|how)\b)"
)
_FILLING = re.compile(r"(^\W*|[,;:.!] *)(?:(?:just|simply|quickly|then|so|ok|okay|hey|hi|please|pls) )+")
# Who uses a value as something sets it.
_USED_AS = re.compile(r"^use (\d\w*) (?:as|for)\b")
# Where a thing is named, an address is one.
_ADDRESS_ITSELF = re.compile(
    r"\b(is|are|give|assign|free|free up|release|delete|remove|reserve|find|show|has|have|uses|using)"
    r" \d{1,3}(?:\.\d{1,3}){3}(?![\w./])"
)
# Who is in a group is a member of it.
_INTO_A_GROUP = re.compile(
    r"\b(?:put|add|move) ([\w.-]+) (?:in|into|to) ((?:the |our |a )?(?:[\w-]+ )?(?:group|team|org|organization))\b"
)
_OUT_OF_A_GROUP = re.compile(
    r"\b(?:take|kick|throw|remove|drop) ([\w.-]+) (?:out of|off|from) "
    r"((?:the |our |a )?(?:[\w-]+ )?(?:group|team|org|organization))\b"
)
# Pointed at is what is set.
_POINTED = re.compile(r"^point (.+?) at ((?:\w|[ .-])+)")
# Kicked off is a job, or a pod off its node.
_KICKED = re.compile(r"\b(?:kick|throw|chase) ((?:an?|the|this|that) \w+) off\b(?: of)?")
# Who gives an address to something sets its own.
_GIVEN = re.compile(
    r"\b(?:give|assign) ((?:\w+ ){1,3})(?:an? )?(?:static |fixed )?(?:ip |address ){0,2}(?=\d{1,3}(?:\.\d{1,3}){3})"
)

# Who lets somebody do something gives access.
_LET = re.compile(
    r"^let (?!(?:me|us) )([\w.-]+) (?:push|write|commit|merge|deploy|read|see|view|edit)\b(?: (?:in|on))?(?: to| into)?"
)
# What is open is a port.
_OPENED = re.compile(r"\b(open|close|allow) (?:tcp |udp )?(?=\d+\b(?![.]\d))")
# An address is moved by assigning it to something else.
_MOVED_ADDRESS = re.compile(r"^(?:move|shift|flip) ((?:\w+ ){0,3}ip(?: address)?) (?:over |across )?to ")


# So are written names of what is set in the environment of a program.
_VARIABLE = re.compile(r"(?<![\w./-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w./-])")


def plainly(text: str) -> str:
    """The same in lower case and plain words."""
    text = _VARIABLE.sub("the variable", text)
    text = _DENIED.sub(" not", _CONTRACTED.sub(r"\1 is", text.lower()))
    text = _AVAILABLE.sub(r"\1 there \2", _CALLED.sub("", _POSSESSIVE.sub("", text)))
    text = _RENAMED.sub(r"\1", text)
    for form, word in _TOLD_BY_FORM:
        text = form.sub(word, text)
    text = _OUT_OF_A_GROUP.sub(r"remove member \1 from \2", _INTO_A_GROUP.sub(r"add member \1 to \2", text))
    text = _KICKED.sub(r"evict \1 from", _GIVEN.sub(r"change ip address of \1to ", text))
    text = _ADDRESS_ITSELF.sub(r"\1 ip address", text)
    text = _MOVED_ADDRESS.sub(r"assign \1 to ", _LET.sub(r"give access to \1 for", text))
    text = _ADDRESS.sub(r"\1", text)
    text = _OPENED.sub(r"\1 port ", _MANY.sub(r"\1 ", _QUANTITY.sub(r"\1", text)))
    text = _ASKED_OF.sub("", _FILLING.sub(r"\1", text)).lstrip()
    text = _WHICH_OF_IT.sub(r"where \2 in \1?", text)
    return _POINTED.sub(r"set \2 on \1", _USED_AS.sub(r"set \1", text))
