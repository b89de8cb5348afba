"""Words that operators use for one another, and words that say nothing: data only, English, about no vendor.

What a vendor calls its things comes from the profile's vocabulary. Each group is one idea, by whichever words; a group
is short, since every word of it matches as well as the one that was typed. Read by `search`.
"""

from collections.abc import Mapping
from typing import Literal

# Spelled in lower case, in the singular; several words are looked for side by side.
ALIKE: tuple[tuple[str, ...], ...] = (
    ("vm", "virtual machine", "guest", "instance"),
    ("server", "host", "machine", "box", "system"),
    (
        "turn off",
        "switch off",
        "power off",
        "power down",
        "shut down",
        "shutdown",
        "stop",
        "halt",
        "switched off",
        "poweroff",
        "pull the plug",
        "force off",
    ),
    ("turn on", "switch on", "power on", "power up", "start", "start up", "boot up", "poweron", "bring up"),
    ("restart", "reboot", "power cycle", "reset", "bounce", "cold boot", "warm boot"),
    ("kill", "terminate", "force stop", "abort"),
    ("logged in", "log in", "login", "logged on", "signed in", "session", "connected"),
    ("sso", "single sign on", "oidc"),
    (
        "delete",
        "remove",
        "erase",
        "wipe",
        "get rid of",
        "get rid",
        "destroy",
        "throw away",
        "take away",
        "drop",
        "purge",
    ),
    ("delete", "remove", "prune", "clean up", "unused"),
    ("delete", "cancel", "abort", "kick out", "revoke"),
    ("empty", "clear", "flush", "delete all"),
    ("create", "add", "make", "new", "spin up", "set up", "provision", "register", "order", "invite"),
    ("update", "change", "edit", "modify", "set", "rename", "configure", "adjust"),
    ("resize", "bigger", "larger", "grow", "enlarge", "extend", "expand", "scale", "capacity", "size"),
    ("undo", "drop", "discard", "revert", "roll back", "rollback"),
    ("factory", "defaults", "factory reset", "reset to defaults"),
    ("clone", "copy", "duplicate"),
    ("snapshot", "restore point", "checkpoint"),
    ("limit", "quota", "cap", "at most"),
    ("connect", "hook up", "wire up", "link", "join"),
    ("address", "ip"),
    ("rule", "port", "allow", "open port"),
    ("pause", "suspend", "freeze"),
    ("resume", "unpause", "unfreeze", "continue", "start"),
    ("migrate", "move", "live migrate", "evacuate", "vacate"),
    ("evict", "eviction", "drain"),
    ("nic", "network interface", "network card", "network adapter", "ethernet", "mac address"),
    ("cpu", "processor", "vcpu", "core"),
    ("ram", "memory", "dimm"),
    ("disk", "drive", "hdd", "ssd", "block device"),
    ("hot spare", "spare"),
    ("operating system", "os"),
    ("load balancer", "lb"),
    ("gpu", "graphics card", "video card"),
    ("license", "licence"),
    ("boot option", "boot device", "boot entry"),
    ("virtual disk", "volume", "raid", "lun", "raid volume", "array"),
    ("raid controller", "storage controller", "raid", "perc"),
    ("storage", "disk space", "capacity", "room", "space"),
    ("certificate", "cert", "ssl", "tls", "https"),
    ("user", "account", "login name", "colleague", "operator", "ldap", "active directory"),
    ("role", "permission", "privilege", "access"),
    (
        "alert",
        "alarm",
        "condition",
        "problem",
        "warning",
        "what is wrong",
        "broken",
        "failing",
        "failed",
        "fault",
        "trouble",
    ),
    ("event log", "sel", "log", "history", "happened"),
    ("led", "light", "blink", "locate", "identify", "indicator", "identification", "beacon"),
    ("mount", "insert", "attach", "plug in", "put in", "assign", "switch over"),
    ("unmount", "eject", "detach", "unplug", "take out"),
    ("temperature", "thermal", "hot", "overheating", "warm", "cold", "inlet"),
    ("fan", "cooling"),
    ("power", "watt", "watts", "electricity", "energy"),
    ("power supply", "psu"),
    ("voltage", "sensor", "reading"),
    ("configuration", "config", "settings", "configuration profile", "server profile", "profile"),
    ("backup", "back up", "export", "save"),
    ("restore", "import", "bring back"),
    ("mail", "email", "e mail", "smtp"),
    ("mail server", "smtp server", "mail relay", "smtp"),
    ("syslog", "syslog server", "log server"),
    ("ntp", "time server", "ntp server", "clock", "time source"),
    ("time", "date", "clock"),
    ("firmware", "bios version", "driver version"),
    ("software update", "upgrade", "patch", "newest release", "new release", "latest version", "latest release"),
    ("update firmware", "flash", "firmware"),
    ("update", "flash", "upgrade", "install"),
    ("version", "release"),
    ("health", "healthy", "status", "ok", "bad", "broken", "failed"),
    ("state", "status", "on or off"),
    ("inventory", "hardware", "parts"),
    ("service tag", "serial number", "asset tag", "sku"),
    ("job", "task", "progress"),
    ("job queue", "queue"),
    ("boot", "booting", "boot order", "pxe", "boot from the network", "network boot"),
    ("import", "install", "upload"),
    ("iso", "image", "cd", "dvd", "cdrom", "virtual media", "virtual cd"),
    ("usage", "utilization", "statistics", "metrics", "performance", "consume", "use", "using"),
    ("controller", "management controller", "management card", "bmc", "baseboard management", "manager"),
    ("hostname", "host name", "computer name"),
    ("subscribe", "subscription", "listener", "webhook", "trap", "traps"),
    ("ip address", "network interface", "ipv4"),
    ("dns", "name server", "nameserver", "dns server"),
    ("dns ptr", "reverse dns", "ptr"),
    ("support", "tech support", "tsr", "diagnostics"),
    ("schedule", "nightly", "plan", "automatically", "periodic", "regularly"),
    ("who am i", "whoami", "self"),
    ("bytes", "number"),
    ("screenshot", "screen shot", "screen"),
    ("remote", "other site", "partner"),
    ("group", "pool"),
    ("slot", "pcie"),
    ("password", "passphrase", "credential"),
    ("lock", "disable", "lock out", "block"),
    ("enable", "activate", "switch on", "turn on"),
    ("disable", "deactivate", "switch off", "turn off"),
    ("node", "host", "hypervisor"),
)

# What people say, and the words of APIs that it may mean; not the other way round.
MEANS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("machine", "box", "computer", "server"), ("vm", "virtual machine", "server", "instance", "device")),
    (
        ("busy", "load", "burn", "eat", "left", "how full", "consume", "free", "headroom"),
        ("usage", "utilization", "statistics", "metrics", "performance", "capacity"),
    ),
    (
        ("somebody", "someone", "person", "people", "admin", "administrator", "colleague", "sign in"),
        ("user", "account"),
    ),
    (("breaks", "goes wrong", "going bad", "dying", "dead"), ("alert", "alarm", "condition", "health", "failed")),
    (("how often", "every night", "every day", "every hour", "every week", "daily", "hourly", "weekly"), ("schedule",)),
    (("hyperthreading", "hyper threading", "turbo", "sr iov", "virtualization extensions"), ("bios settings",)),
    (("hardware log", "hardware event log"), ("event log", "sel")),
    (("bios image", "firmware image", "bios update"), ("firmware",)),
    (("virtual drive", "virtual dvd", "virtual floppy"), ("virtual media",)),
    (("put on",), ("import", "install", "upload", "replace")),
    (("log", "logs"), ("syslog",)),
    (("run again", "back up", "back on"), ("start",)),
    (("who",), ("user", "account", "recipient")),
    (("hold",), ("pause",)),
    (("another host", "another node", "other host", "other node"), ("migrate", "move")),
    (("roll out", "deploy"), ("import", "apply", "create")),
    (("reset password", "new password", "forgot password"), ("password", "change password")),
    (("kick",), ("restart",)),
    (("kick off", "kick out", "throw out", "throw off"), ("evict", "delete", "remove")),
    (("plug", "plug into", "hook up"), ("connect", "attach", "cable")),
    (("last lines", "printed", "output"), ("log",)),
    (("retire", "decommission", "scrap"), ("delete", "remove", "status")),
    (("soft", "softly", "gently", "nicely", "cleanly", "gracefully"), ("soft", "acpi", "graceful", "shutdown")),
    (("disk space", "disk usage"), ("usage", "capacity", "storage")),
    (("kill", "terminate", "abort", "close"), ("delete", "stop", "cancel", "revoke")),
    (("sync", "mirror", "disaster recovery"), ("replication",)),
    (("power state", "powered on", "powered off", "switched on"), ("powerstate", "state")),
    (("uefi boot", "boot mode", "legacy boot"), ("bios settings",)),
    (("who changed", "what changed", "what happened", "changed lately"), ("log", "event", "history", "change")),
    (("send events", "forward events"), ("subscription",)),
    (("ship logs", "ship the logs", "forward logs"), ("syslog",)),
)

# In nearly every question; they would only favour long descriptions.
EMPTY = frozenset((
    "a", "all", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does", "for", "from", "get",
    "give", "has", "have", "how", "i", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "our",
    "other", "out", "please", "should", "tell", "that", "the", "their", "them", "there", "these", "this", "those",
    "to", "us", "want", "was", "we", "what", "when", "where", "which", "who", "will", "with", "would", "you",
    "your", "right", "now", "current", "currently", "there", "still", "any", "much", "many", "for", "good", "old",
    "one", "another", "some", "got", "if", "so", "up", "data", "long", "exist", "exists", "lately", "last",
    "old", "own", "its", "thing", "every", "each", "both", "he", "him", "his", "she", "her", "they",
    "certain", "whole", "entire", "against", "gets", "getting", "go", "goes",
))  # fmt: skip

# How a sentence begins that asks and wants nothing changed.
ASKING = frozenset((
    "am", "are", "did", "do", "does", "has", "have", "how", "is", "was", "were", "what", "when", "where", "which",
    "who", "whose", "why", "whats", "wheres",
))  # fmt: skip
# Verbs of looking, which many a name of a change has in it as well.
LOOKING = frozenset((
    "check", "count", "describe", "display", "examine", "find", "get", "inspect", "list", "look", "lookup", "query",
    "read", "see", "show", "tell", "view", "wait", "watch",
))  # fmt: skip
# What behind it only says where: "a disk on web01", "the nodes in the cluster".
WHERE = frozenset(
    ("of", "at", "from", "in", "inside", "into", "on", "onto", "to", "under", "via", "with", "within", "for")
)
# What behind it only says when or why.
BECAUSE = frozenset(("because", "before", "since", "so", "until", "when", "while", "after"))
# What stands between a verb and what it is done to.
BEFORE_A_THING = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "my", "our", "your", "its", "his", "her", "their", "all",
    "every", "it", "them", "one", "some", "another", "everything", "somebody", "someone", "two", "three", "up", "down",
    "off", "out",
))  # fmt: skip
# Verbs that say nothing without what is made, taken or done, and what that can be.
LIGHT = frozenset(("do", "make", "perform", "run", "take"))
DONE = frozenset(("backup", "clone", "copy", "duplicate", "export", "reboot", "reset", "restart", "restore", "test"))
# "Give it another disk" is one more, "give it more memory" is none.
GIVING = frozenset(("attach", "give", "put"))
MORE_OF_THEM = frozenset(("another", "second", "third", "extra", "additional"))
# Said before what is meant.
POLITE = frozenset((
    "can", "could", "help", "hey", "i", "id", "kindly", "let", "lets", "like", "me", "need", "please", "to", "us",
    "want", "we", "would", "you",
))  # fmt: skip
# What is wanted, by the verb near the beginning.
WANTS: Mapping[Literal["create", "update", "delete"], tuple[str, ...]] = {
    "create": ("create", "add", "make", "new", "spin up", "set up", "provision", "invite", "register", "define",
               "order", "reserve", "generate", "issue", "install"),
    "update": ("update", "change", "edit", "modify", "set", "rename", "give", "enlarge", "increase",
               "decrease", "resize", "grow", "extend", "raise", "lower", "configure", "adjust", "scale", "write",
               "label", "bump",
               "mark", "cap", "flash", "shrink", "enable", "disable", "activate", "deactivate"),
    "delete": ("delete", "remove", "get rid", "throw away", "erase", "destroy", "drop", "purge", "take away",
               "kick out", "cancel", "revoke", "get rid of", "wipe"),
}  # fmt: skip
