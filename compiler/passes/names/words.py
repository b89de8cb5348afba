"""Words in names: how identifiers fall apart, how nouns are counted, and which words tell what an operation does.

English and HTTP habits only; a vendor's own words come from the profile's vocabulary. Names in other scripts than
Latin are transliterated, since callers and clients type what comes of them. Used by all passes.
"""

import hashlib
import re
from functools import lru_cache

from anyascii import anyascii

# Words with capitals of their own, kept whole wherever they stand: `RunePSADiagnostics` is to run the ePSA ones.
SPELLED = (
    "PCIe",
    "IPsec",
    "IPv4",
    "IPv6",
    "ePSA",
    "vFlash",
    "iSCSI",
    "iLKM",
    "eSATA",
    "eMMC",
    "vTPM",
    "vCPU",
    "vSAN",
    "iPXE",
)
_OWN = "|".join(SPELLED)
# Names with a figure in them, whatever their letters' case; never the end of another word (`hosts3`).
_FIGURED = {
    w.lower(): w
    for w in (
        "L2VPN",
        "L3VPN",
        "S3",
        "X509",
        "OAuth2",
        "krb5",
        "K8s",
        "EC2",
        "SHA256",
        "MD5",
        "2FA",
        "PKCS12",
        "P12",
        "int32",
        "int64",
    )
}
_WITH_FIGURES = "|".join(rf"(?<![A-Za-z])(?i:{word}s?)(?![a-z0-9])" for word in _FIGURED)
_PARTS = re.compile(
    rf"{_WITH_FIGURES}|(?:{_OWN})s(?![A-Za-z])|{_OWN}|VFlash|[A-Z]?[a-z]+?(?={_OWN})|\b[a-z][A-Z]{{2,}}(?![a-z])|[A-Z]{{2,}}s(?![A-Za-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+"
)


_SPELLED = {**{word.lower(): word for word in SPELLED}, **_FIGURED}


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


READING = _set(
    "get list show read query search find lookup check validate verify preview export describe count status is test "
    "discover compare estimate calculate download"
)
DESTROYING = _set(
    "delete remove destroy erase wipe purge clear format decommission reformat sanitize factory revoke uninstall "
    "shred cryptographic detach unassign drop cleanup destruct restore revert"  # what was written since is lost
)
DISRUPTING = _set(
    "reset reboot shutdown restart stop halt poweroff power pause suspend failover apply upgrade update install "
    "import rollback migrate disable disconnect cutover reimage nmi cycle kill abort cancel "
    "terminate eject promote demote takeover deactivate"
)
MAKING = _set("create clone copy import duplicate restore make new add generate upload attach snapshot")
COPYING = _set("clone copy duplicate import")
DONE = _set("complete completed success successful succeeded done finish finished ok")
BROKEN = _set(
    "error fail failed failure exception cancelled canceled abort aborted killed rejected timeout timedout errors "
    "interrupted invalid"
)
UNCOUNTED = _set(
    "data statistics information metadata settings history timeline media firmware software memory power storage "
    "inventory chassis"
)
ACRONYMS = _set(
    "vm id ip dns cpu ssl tls iso url uri nic bios smtp api ssh ldap nfs smb usb gpu raid oidc http https ntp scp csr "
    "bmc mac os nas snmp asn vlan vpn ike vrf crl pem acme ttl acl tpm kmip dhcp iscsi snat fc nis lun pki uuid json "
    "ca sso mfa arn sql csv cors saml totp aws gcp iam cidr"
)


_LONGEST_WORD = 24  # letters: what is longer no person has written, and a name of several such would not fit anywhere
_LONGEST_INPUT = 48  # characters of an input's name: what a caller can still read and type
_DIGEST = 6  # letters that tell apart what was cut alike


def latin(text: str) -> str:
    """`text` in ASCII: `сервер` → server, `größe` → grosse; what is ASCII stays as it is."""
    return text if text.isascii() else anyascii(text)


@lru_cache(maxsize=65_536)
def _parts(name: str) -> tuple[str, ...]:
    """The words of an identifier as they are spelled, each bounded."""
    return tuple(_bounded(part, _LONGEST_WORD) for part in _PARTS.findall(latin(name)))


def _bounded(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    letters = "".join(chr(ord("a") + int(digit, 16)) for digit in digest)  # one word, however often it is split
    return f"{text[: most - _DIGEST - 1].rstrip('_')}_{letters}"


@lru_cache(maxsize=65_536)
def split(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: `VirDomainUUID` → vir, domain, uuid."""
    return tuple(part.lower() for part in _parts(name))


def joined(name: str) -> str:
    """The words of an identifier without what parts them: `page_size` and `pageSize` are `pagesize`."""
    return "".join(split(name))


def identifier(name: str) -> str:
    """A name of the API as that of an input: letters, digits and underscores, of a length that people type."""
    plain = "".join(c if c.isalnum() or c == "_" else "_" for c in latin(name)).strip("_")
    return _bounded(plain, _LONGEST_INPUT)


def of_api(name: str) -> str:
    """What the ids of an API's workflows begin with: its name where that is a plain word (`gns3`), else made one."""
    return name if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) else snake(name)


def snake(text: str) -> str:
    """`Network Interface` → network_interface; only a–z, 0–9 and single underscores remain."""
    return "_".join(split(text)) or "item"


_SINGULAR_AS_IT_IS = _set(
    "alias bias canvas atlas https cifs onefs always kerberos kubernetes macos hdfs ntfs gpfs tmpfs"
)
_IRREGULAR = {"indices": "index", "vertices": "vertex", "matrices": "matrix", "children": "child", "people": "person",
              "analyses": "analysis", "buses": "bus"}  # fmt: skip
_PLURALS = {one: several for several, one in _IRREGULAR.items()}
_LAST = re.compile(r"[ _-]")
_PARAGRAPH = re.compile(r"\n\s*\n")
# Each bounded, so that none looks twice at a long text.
_LINK = re.compile(r'(?<![\w\]])(!?)\[([^\[\]]{0,200})\]\(([^()\s]{1,400})(?: "[^"()]{0,200}")?\)')
_ELEMENT = re.compile(r"<img\b[^<>]{0,400}>|<a\b[^<>]{0,400}>([^<>]{0,200})</a>", re.IGNORECASE)
_ADDRESS = re.compile(r" ?(?:<https?://[^<>\s]{1,400}>|\((?:see )?https?://[^()\s]{1,400}\))", re.IGNORECASE)
_OF_LINKS = ("](", "://", "<a ", "<img ", "<A ", "<IMG ")
_THINGS_IN_ABLE = _set("variable timetable deliverable receivable payable consumable wearable")
_INITIALS_IN_I = re.compile(r"(?!this)[b-df-hj-np-tv-xz]{2}is")  # `vdis`: no English word
_STEMS_IN_O = _set("iso repo video photo memo demo info logo macro zero")


@lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """`policies` → policy, `addresses` → address, `Systems` → System; a word that is not plural stays."""
    lower = word.lower()
    if lower.endswith(("_ips", "-ips", " ips", "_vms", "-vms", " vms")) or lower in ("ips", "vms"):
        return word[:-1]
    last = _LAST.split(lower)[-1]
    if len(word) <= 3 or last in _SINGULAR_AS_IT_IS or last.endswith(("kms", "atlas", "alias")):  # NFS, NIS, DNS
        return word
    if last in _IRREGULAR:
        return word[: -len(last)] + _IRREGULAR[last]
    if lower[:-1] in _STEMS_IN_O or lower.endswith("caches") or _INITIALS_IN_I.fullmatch(last):
        return word[:-1]
    if lower.endswith("ies") and len(word) > 4 and not last.endswith("series"):
        return word[:-3] + "y"
    if lower.endswith("iases"):
        return word[:-2]
    if lower.endswith(("sses", "xes", "ches", "shes", "uses")):
        return word[:-2]
    if lower.endswith("ios") and len(word) > 6:  # `scenarios`
        return word[:-1]
    if lower.endswith("s") and not lower.endswith(("ss", "us", "is", "os", "series", "news", "dns", "bios")):
        return word[:-1]
    return word


def singulars(text: str) -> set[str]:
    """The words of the text, each in singular."""
    return {singular(word) for word in split(text)}


def plural(word: str) -> str:
    """`policy` → policies, `address` → addresses, `VM` → VMs, `role by ID` → roles by ID."""
    thing, by, what = word.partition("_by_" if "_by_" in word else " by ")
    if by and thing:
        return f"{plural(thing)}{by}{what}"
    lower = word.lower()
    last = lower.rpartition(" ")[2].rpartition("_")[2]
    if last in _PLURALS:
        return word[: -len(last)] + _PLURALS[last]
    if (
        last in UNCOUNTED
        or last.isdigit()
        or (len(last) <= 3 and last.endswith("s"))
        or (last.endswith(("ed", "able")) and len(last) > 5 and last not in _THINGS_IN_ABLE)
    ):
        return word
    if lower.endswith("y") and not lower.endswith(("ay", "ey", "oy", "uy")):
        return word[:-1] + "ies"
    if lower.endswith(("s", "x", "ch", "sh")):
        return word if singular(word) != word else word + "es"
    return word + "s"


def spoken(identifier: str) -> str:
    """An identifier as a person would say it: `EthernetInterface` → Ethernet interface, `GPUProfile` → GPU profile."""
    parts = _parts(identifier)
    words = [
        p
        if (p.removesuffix("s").isupper() and len(p) > 1) or p.removesuffix("s") in SPELLED
        else _SPELLED.get(p.lower(), p.lower())
        for p in parts
    ]
    return " ".join(w.upper() if w in ACRONYMS else w for w in words)


def is_about(words: tuple[str, ...], vocabulary: frozenset[str]) -> bool:
    return any(word in vocabulary for word in words)


def without_links(text: str) -> str:
    """The text of a description's links alone, and no pictures: who calls a tool can follow neither.

    Links of Markdown and of HTML, and addresses in brackets; `filter[name](text)` is none.
    """
    if not any(mark in text for mark in _OF_LINKS):
        return text
    return _ADDRESS.sub("", _ELEMENT.sub(lambda found: found[1] or "", _LINK.sub(_of_link, text)))


def _of_link(found: re.Match[str]) -> str:
    if not any(mark in found[3] for mark in "/#."):
        return found[0]
    return "" if found[1] else found[2]


# Marks of HTML and nothing else: `<space_name>` stands for what a reader puts in.
_ENDS_OF_LINES = re.compile(r"</?(?:br|p|li|ul|ol|div|h[1-6]|table|tr)\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(
    r"</?(?:a|b|i|u|em|strong|code|pre|span|tt|kbd|sup|sub|small|font|td|th)(?:\s[^<>]*)?/?>", re.IGNORECASE
)


def first_sentence(text: str, most: int = 120) -> str:
    """The first sentence of a description without marks, tags and links, at most `most` characters."""
    text = _TAGS.sub("", _ENDS_OF_LINES.sub("\n\n", text)) if "<" in text else text
    first = _PARAGRAPH.split(text.strip(), maxsplit=1)[0]
    printable = first if first.isprintable() else "".join(c if c.isprintable() else " " for c in first)
    linked = without_links(" ".join(printable.split()))
    plain = " ".join(linked.replace("`", "").replace("*", "").replace("_", " ").split())
    end = plain.find(". ")
    plain = plain if end < 0 else plain[: end + 1]
    return plain if len(plain) <= most else plain[: most - 1].rsplit(" ", 1)[0] + "…"
