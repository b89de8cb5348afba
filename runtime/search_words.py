"""Words that operators use for one another, and words that say nothing: data only, English, about no vendor.

What a vendor calls its things comes from the profile's vocabulary. Each group is one idea, by whichever words; a group
is short, since every word of it matches as well as the one that was typed. Read by `search`.
"""

# Spelled in lower case, in the singular; several words are looked for side by side.
ALIKE: tuple[tuple[str, ...], ...] = (
    ("vm", "virtual machine", "guest", "instance"),
    ("turn off", "switch off", "power off", "power down", "shut down", "shutdown", "stop", "halt", "switched off"),
    ("turn on", "switch on", "power on", "power up", "start", "boot up"),
    ("restart", "reboot", "power cycle", "reset"),
    ("logged in", "log in", "login", "logged on", "signed in", "session"),
    ("sso", "single sign on", "oidc"),
    ("delete", "remove", "erase", "wipe", "get rid of", "destroy"),
    ("create", "add", "make", "new"),
    ("update", "change", "edit", "modify", "set", "rename", "configure"),
    ("clone", "copy", "duplicate"),
    ("pause", "suspend", "freeze"),
    ("migrate", "move", "live migrate"),
    ("nic", "network interface", "network card", "network adapter", "ethernet"),
    ("cpu", "processor", "vcpu"),
    ("ram", "memory", "dimm"),
    ("disk", "drive", "hdd", "ssd", "block device"),
    ("virtual disk", "volume", "raid", "lun"),
    ("certificate", "cert", "ssl", "tls"),
    ("user", "account", "login name"),
    ("alert", "alarm", "condition", "problem", "warning", "what is wrong"),
    ("event log", "sel", "log", "history"),
    ("mount", "insert", "attach", "plug in"),
    ("unmount", "eject", "detach"),
    ("temperature", "thermal", "hot", "overheating"),
    ("fan", "cooling"),
    ("configuration", "config", "settings", "configuration profile"),
    ("backup", "back up", "export", "save"),
    ("restore", "import"),
    ("mail", "email", "e mail", "smtp"),
    ("ntp", "time server", "clock"),
    ("firmware", "bios version", "driver version"),
    ("software update", "upgrade", "patch"),
    ("health", "healthy", "status", "ok"),
    ("inventory", "hardware", "parts"),
    ("job", "task", "progress"),
    ("boot", "booting", "boot order", "pxe"),
    ("list", "find", "show"),
    ("iso", "image", "cd", "dvd"),
    ("subscribe", "subscription", "listener", "webhook"),
    ("ip address", "network interface", "ipv4"),
    ("support", "tech support", "tsr", "diagnostics"),
)

# In nearly every question; they would only favour long descriptions.
EMPTY = frozenset((
    "a", "all", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does", "for", "from", "get",
    "give", "has", "have", "how", "i", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "our",
    "other", "out", "please", "should", "tell", "that", "the", "their", "them", "there", "these", "this", "those",
    "to", "us", "want", "was", "we", "what", "when", "where", "which", "who", "will", "with", "would", "you",
    "your",
))  # fmt: skip
