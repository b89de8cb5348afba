"""How people speak when they want something: words that say nothing, that ask, that begin an order. Data only, English.

What words of the trade mean one another is `trade`. Read by `question`.
"""

from collections.abc import Mapping
from typing import Literal

# A phrase with one of these is said, and written in no description: nobody has to look for it there.
SPOKEN = frozenset((
    "a", "an", "the", "do", "does", "in", "into", "for", "of", "to", "out", "what", "who", "is", "can", "may", "any",
    "nobody", "not", "again", "me", "us", "has", "have", "that", "next", "this", "it",
))  # fmt: skip
# In nearly every question; they would only favour long descriptions.
EMPTY = frozenset((
    "a", "all", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does", "for", "from", "get",
    "give", "has", "have", "how", "i", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "our",
    "other", "out", "please", "should", "tell", "that", "the", "their", "them", "there", "these", "this", "those",
    "to", "us", "want", "was", "we", "what", "when", "where", "which", "who", "will", "with", "would", "you",
    "your", "right", "now", "current", "currently", "there", "still", "any", "much", "many", "for", "good", "old",
    "one", "another", "some", "got", "if", "so", "up", "data", "long", "exist", "exists", "lately", "last",
    "old", "own", "its", "thing", "every", "each", "both", "he", "him", "his", "she", "her", "they",
    "certain", "whole", "entire", "against", "gets", "getting", "go", "goes", "going", "off", "here", "again", "just",
    "yet", "gb", "gig", "gigs", "mb", "tb", "nobody", "really", "then", "about", "off", "being", "been", "am", "im",
    "yesterday", "today", "tonight", "tomorrow", "night", "morning", "evening", "hour", "hours", "minute", "minutes",
    "week", "month", "ago", "not", "instead", "moment", "soon",
))  # fmt: skip

# How a sentence begins that asks and wants nothing changed.
ASKING = frozenset((
    "am", "are", "did", "do", "does", "has", "have", "how", "is", "was", "were", "what", "when", "where", "which",
    "who", "whose", "why", "whats", "wheres", "any", "anything", "anybody", "anyone", "hows", "whos",
))  # fmt: skip
# Verbs of looking, which many a name of a change has in it as well.
LOOKING = frozenset((
    "check", "count", "describe", "display", "examine", "find", "get", "inspect", "list", "look", "lookup", "query",
    "read", "see", "show", "tell", "view", "wait", "watch", "gimme",
))  # fmt: skip
# What behind it only says where: "a disk on web01", "the nodes in the cluster".
WHERE = frozenset(
    ("of", "at", "from", "in", "inside", "into", "on", "onto", "to", "under", "via", "with", "within", "for")
)
# How a thing is, when somebody asks.
STATES = frozenset(("healthy", "health", "ok", "okay", "wrong", "broken", "fine", "well", "trouble"))
# No other word that ends so says more than how something is done: "cleanly".
NO_MANNER = frozenset((
    "anomaly", "assembly", "daily", "family", "hourly", "monthly", "nightly", "only", "readonly", "reply", "supply",
    "weekly",
))  # fmt: skip
# Words of workflows that only try something.
TRYING = frozenset(("dry", "preview", "simulate", "test", "validate", "verify"))
# What behind it only says when or why.
BECAUSE = frozenset(("because", "before", "since", "so", "until", "when", "while", "after"))
# Of a thing that has to become so: "make the disk bigger", "two more CPUs".
COMPARED = frozenset(("bigger", "larger", "smaller", "more", "less", "fewer", "faster", "slower", "instead"))
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
# Behind "make": "make a volume" is a new one, "make the volume bigger" is not.
OF_A_KNOWN_ONE = frozenset(("his", "her", "it", "its", "my", "our", "that", "the", "their", "this", "your"))
# What a thing is that is called by a name that nobody knows: "reboot web01".
NAMED_THINGS = ("vm", "virtual machine", "server", "instance", "machine", "device")
# What is read off a thing and set on none.
READINGS = frozenset((
    "consumption", "health", "history", "inventory", "metrics", "progress", "readings", "statistics", "stats", "status",
    "temperature", "temperatures", "uptime", "usage", "utilization", "version", "versions",
))  # fmt: skip
# Verbs that undo one another; others are told by how they begin.
OPPOSITES = (
    ("attach", "detach"), ("insert", "eject"), ("enable", "disable"), ("pause", "resume"), ("freeze", "thaw"),
    ("activate", "deactivate"), ("start", "stop"), ("add", "remove"), ("join", "leave"), ("open", "close"),
)  # fmt: skip
UNDOING = ("un", "dis", "de")
# Verbs of actions, with which somebody begins who wants one.
ACTING = (
    "assign", "attach", "blink", "boot", "bounce", "bring", "cancel", "clone", "connect", "copy", "cut", "detach",
    "eject", "empty", "erase", "export", "fire", "flush", "halt", "import", "insert", "kick", "kill", "migrate",
    "mount", "move", "pause", "point", "power", "pull", "reboot", "replicate", "reset", "restart", "restore", "resume",
    "roll", "send", "shut", "snap", "snapshot", "spin", "start", "stop", "suspend", "switch", "turn", "unmount",
    "unplug", "upload",
)  # fmt: skip
# Of these, those that are no things as well ("the power", "a snapshot"): what begins with one is an order.
ONLY_DONE = frozenset((
    "assign", "attach", "bring", "cancel", "connect", "detach", "disconnect", "eject", "empty", "erase", "insert",
    "kick", "kill", "migrate", "move", "pause", "point", "pull", "reboot", "replicate", "resume", "send", "shut",
    "spin", "suspend", "unmount", "unplug",
))  # fmt: skip
# How what is told is written: `/users.json`.
FORMATS = frozenset(("csv", "html", "json", "txt", "xml", "yaml"))
# Who takes something out wants none made.
TAKING_OUT = frozenset(
    ("detach", "disconnect", "eject", "free", "leave", "release", "unassign", "unhook", "unmount", "unplug", "yank")
)
# Who tells what for needs more of it, or a new one.
NEEDING = frozenset(("needs", "need", "wants", "lacks"))
# Verbs of making what is kept in writing.
WRITING = frozenset(("document", "jot", "note", "record"))
# Verbs of having another value: "switch the boot mode to UEFI".
SWITCHING = frozenset(("flip", "point", "repoint", "switch", "toggle", "turn"))
# Verbs of having things sent from now on: "send alerts to the new address".
SENDING = frozenset(("forward", "route", "send", "ship", "stream"))
# Said before what is meant.
POLITE = frozenset((
    "can", "could", "help", "hey", "i", "id", "kindly", "let", "lets", "like", "me", "need", "please", "to", "us",
    "want", "we", "would", "you",
))  # fmt: skip
# What is wanted, by the verb near the beginning.
WANTS: Mapping[Literal["create", "update", "delete"], tuple[str, ...]] = {
    "create": ("create", "add", "make", "new", "spin up", "set up", "provision", "invite", "register", "define",
               "order", "mint", "reserve", "generate", "issue", "install", "kick off", "stand up", "another", "build",
               "bring in", "extra", "additional", "roll out", "cut release", "cut a release"),
    "update": ("update", "change", "edit", "modify", "set", "rename", "give", "enlarge", "increase",
               "decrease", "resize", "grow", "extend", "raise", "lower", "configure", "adjust", "scale", "write",
               "label", "bump",
               "mark", "cap", "flash", "shrink", "enable", "disable", "activate", "deactivate", "swap", "swap out",
               "tweak", "use", "bump up", "crank up", "crank", "switch to", "accept", "reject", "limit"),
    "delete": ("delete", "remove", "get rid", "throw away", "erase", "destroy", "drop", "purge", "take away",
               "kick out", "cancel", "revoke", "get rid of", "wipe", "toss", "throw out", "chuck out", "bin", "trash",
               "nuke", "ditch", "scrap", "tear down", "blow away", "kill off", "lose"),
}  # fmt: skip
