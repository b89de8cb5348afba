"""Words with which proposals are judged: data only, English, about no vendor.

Read by `wording` and by `compiler.proposals`. A list is no proof against every phrasing; it stands behind the
alphabet, the lengths and the person who approves, and it is kept short enough to be read.
"""

from collections.abc import Mapping

# Text that speaks to its reader instead of describing: matched on whole words, in lower case, hyphens as spaces.
# A description has no business with the second person, with orders, or with the machinery that shows it.
COMMANDS = (
    "ignore", "ignoring", "disregard", "forget", "pretend", "obey", "comply", "remember", "please", "important",
    "urgent", "attention", "must", "should", "shall", "always", "never", "ought", "have to", "need to", "needs to",
    "be sure", "make sure", "do not", "don't", "dont", "you", "your", "yours", "yourself", "i", "me", "my", "we", "our",
    "us", "first call", "call this", "call it", "call the", "call all", "calling", "calls", "invoke", "use this",
    "use it", "used first", "use first", "prefer", "preferred", "before any", "before all", "before using",
    "before calling", "before other", "instead of", "rather than", "at the start of", "every conversation",
    "every request", "every session", "previous", "above", "following", "instruction", "instructions", "prompt",
    "system message", "jailbreak", "override", "overrides", "bypass", "bypasses", "skip", "skips", "without asking",
    "without confirmation", "without approval", "without review", "no confirmation", "no approval", "auto approve",
    "approve", "approves", "approved", "approval", "pre approved", "trusted", "verified", "authorized", "authorised",
    "allowed", "permitted", "mandatory", "required by", "assistant", "chatbot", "language model", "llm", "ai", "gpt",
    "claude", "agent", "agents", "model context", "mcp", "tool", "tools", "function call", "conversation", "human",
    "send the", "send all", "send it", "forward", "exfiltrate", "upload the", "leak", "reveal", "include the",
    "secretly", "silently", "quietly", "hidden", "tell the", "tell no", "do anything", "developer mode", "sudo", "rm",
)  # fmt: skip

# What no name may say of a thing, and no sentence of a workflow: that is a judgement.
SOOTHING = (
    "safe", "safely", "harmless", "harmlessly", "risk free", "riskless", "no risk", "without risk", "benign",
    "non destructive", "nondestructive", "not destructive", "read only", "readonly", "changes nothing",
    "change nothing", "no change", "no changes", "without changing", "without changes", "no effect", "without effect",
    "side effect", "side effects", "dry run", "simulate", "simulates", "simulated", "simulation", "pretends",
    "preview", "previews", "test only", "only a test", "dummy", "fake", "unused", "obsolete", "temporary",
    "reversible", "reversibly", "undo", "undone", "undoable", "recoverable", "restorable", "revertible", "downtime",
    "interruption", "uninterrupted", "no impact", "without impact", "no loss", "without loss", "lossless", "routine",
    "merely",
)  # fmt: skip

# Words that are written cut short in names, and what they stand for.
CUT_SHORT: Mapping[str, str] = {
    "vir": "virtual", "virt": "virtual", "dom": "domain", "net": "network", "dev": "device", "cfg": "configuration",
    "conf": "configuration", "config": "configuration", "mgmt": "management", "mgr": "manager", "svc": "service",
    "srv": "server", "acct": "account", "grp": "group", "usr": "user", "vol": "volume", "snap": "snapshot",
    "repl": "replication", "cert": "certificate", "ctrl": "controller", "drv": "drive", "intf": "interface",
    "iface": "interface", "addr": "address", "sched": "schedule", "stat": "statistic", "stats": "statistics",
    "env": "environment", "org": "organization", "repo": "repository", "sub": "subscription", "msg": "message",
    "evt": "event", "proc": "process", "mem": "memory", "img": "image", "pwd": "password", "perm": "permission",
    "auth": "authentication", "cred": "credential", "sec": "security", "sys": "system", "tmpl": "template",
    "info": "information", "hw": "hardware", "fw": "firmware", "sw": "software", "attr": "attribute",
    "param": "parameter", "num": "number", "alloc": "allocation", "db": "database", "ns": "namespace",
}  # fmt: skip

# Words that the trade uses for one another: a name has to be recognisable from the API's own words.
ALIKE = (
    frozenset({"vm", "virtual", "vir", "domain", "instance", "guest", "machine", "dom"}),
    frozenset({"disk", "drive", "volume", "block", "lun", "storage", "device", "dev", "vsd"}),
    frozenset({"nic", "network", "net", "ethernet", "interface", "port", "adapter", "netdev"}),
    frozenset({"host", "node", "server", "system", "computer", "machine", "hypervisor"}),
    frozenset({"cpu", "processor", "core"}),
    frozenset({"memory", "ram", "dimm"}),
    frozenset({"user", "account", "principal", "person"}),
    frozenset({"role", "privilege", "permission", "right"}),
    frozenset({"job", "task", "action", "operation"}),
    frozenset({"alert", "alarm", "condition", "notification", "warning"}),
    frozenset({"log", "journal", "audit", "event", "entry", "record"}),
    frozenset({"certificate", "cert", "key", "csr", "tls", "ssl"}),
    frozenset({"firmware", "software", "update", "bios"}),
    frozenset({"snapshot", "snap", "checkpoint"}),
    frozenset({"setting", "settings", "configuration", "config", "attribute", "option", "property", "parameter"}),
    frozenset({"cluster", "pool", "group", "federation"}),
    frozenset({"controller", "manager", "bmc", "management"}),
    frozenset({"sensor", "reading", "thermal", "temperature", "fan", "cooling"}),
    frozenset({"power", "psu", "supply"}),
    frozenset({"iso", "image", "media", "cd", "template"}),
    frozenset({"schedule", "policy", "rule", "plan"}),
    frozenset({"replication", "replica", "mirror"}),
    frozenset({"share", "export", "nfs", "smb", "directory", "filesystem"}),
    frozenset({"session", "login"}),
    frozenset({"subscription", "webhook", "listener", "destination"}),
    frozenset({"time", "clock", "ntp", "zone"}),
    frozenset({"usage", "metric", "statistic", "statistics", "stat", "telemetry"}),
)

# Words of everyday, verbs, states and what cannot be pointed at: where no thing of an API is called so, whoever says
# one names nothing that is not there.
EVERYDAY = frozenset((
    "accept", "access", "adjust", "alive", "allow", "anew", "approve", "ask", "away", "back", "ban", "begin",
    "block", "boost", "bring", "broken", "build", "bump", "busy", "call", "catch", "change", "check", "choose",
    "clean", "close", "combine", "complete", "contents", "copy", "cut", "deny", "detail", "details", "ditch",
    "done", "enter", "everybody", "everyone", "everything", "exit", "fetch", "fill", "finish", "fit", "fix",
    "flag", "flip", "forbid", "free", "fresh", "give", "gone", "grab", "grant", "grow", "halt", "hand", "happen",
    "hide", "hold", "hook", "hung", "idle", "inspect", "join", "keep", "kind", "kinds", "label", "launch",
    "leave", "left", "leftover", "let", "load", "look", "loose", "lose", "lower", "mark", "merge", "move",
    "newest", "nobody", "note", "offer", "open", "own", "pack", "pair", "park", "pass", "peek", "permit", "pick",
    "place", "prepare", "private", "prove", "public", "publish", "pull", "push", "put", "raise", "ready",
    "receive", "refuse", "reject", "release", "repair", "repeat", "reply", "rest", "return", "reveal", "rewrite",
    "room", "run", "save", "seal", "send", "share", "ship", "shoot", "show", "shrink", "sleep", "somebody",
    "someone", "space", "spare", "split", "start", "stick", "store", "stretch", "stuck", "swap", "switch", "tag",
    "take", "test", "thaw", "throw", "tidy", "tie", "toss", "track", "trim", "try", "turn", "tweak", "undo",
    "unpack", "unused", "usable", "use", "used", "verify", "view", "visible", "wake", "watch", "way", "what",
    "withdraw", "write",
))  # fmt: skip
