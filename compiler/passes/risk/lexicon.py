"""The words that say how bad an action can be, each with its reason. Data alone; read by `clauses` and `judging`.

English verbs and the nouns made of them, in base form: inflections follow (`Rebooting`, `reboots`), past participles
do not, because they are states (`deleted items`). A word can be milder or graver by what it is done to. Where a word
is missing an action counts as a change, never as a read; where one is in doubt it stands in the graver class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflow.risks import Risk


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Word:
    """`about`: another class, where one of these is what it is done to, or stands near it. `harmless`: where one of these
    is its very object (“Remove tags from a disk”, and not “Remove disks by their tags”), it is a change.
    `graver`: the reason where what it is done to makes it worse than it is by itself.
    """

    base: str
    risk: Risk
    why: str
    about: Mapping[Risk, frozenset[str]] = field(default_factory=dict)
    harmless: frozenset[str] = frozenset()
    graver: str = ""


_MARKS = _set(
    "alarm alarms alert alerts counter counters statistic statistics stats metric metrics error errors fault faults "
    "warning warnings notification notifications flag flags badge selection filter filters"
)
_SESSIONS = _set("session sessions process processes connection connections query queries job jobs task tasks")
_PEOPLE = _set(
    "password passwords passphrase pin mfa otp totp 2fa counter counters statistic statistics stats metric metrics "
    "alarm alarms error errors view preference preferences peak peaks"
)
_HOSTS = _set(
    "filesystem filesystems host server instance vm machine node device drive disk disks volume volumes storage array pool lun"
)
_WATCHING = _set(
    "capture recording trace tracing beacon led blink monitoring logging profiling scan discovery locate watching"
)
_HARMLESS_OFF = _set(
    "backup backups alert alerts alarm alarms notification notifications metric metrics logging debug debugging "
    "schedule schedules led beacon locate protection monitoring maintenance autoscaling autoscale scaling scale"
)
_ENDING_NOUNS = _set(
    "deletion delete removal shutdown reboot restart reset reboots termination erasure destruction expiry expiration "
    "poweroff decommission deletions removals shutdowns restarts resets terminations erasures"
)
_COPIES = _set(
    "image images key keys keypair vm virtual machine iso template volume zone key certificate certs file user users data "
    "dataset datasets record records document documents contact contacts product products model models api apis findings "
    "transactions messages package packages job jobs repository table tables catalog entries"
)
_CONFIGURED = _set("config configuration configurations settings policy policies firmware definitions state")
_PAPERS = _set(
    "json xml csv pdf html text string number chart font cell task url report output code phone board readable"
)
_TAGS = _set("tags labels reactions bookmarks annotations")
_REPLICATED = _set(
    "mirror snapmirror metro replication pairing pair lease relationship relation peering sync direction"
)
_CALLS = _set("call calls participant participants conference meeting channel contact stream streams broadcast")
_KEPT = _set("rule rules issue issues workspace conversation topic thread discussion comment comments")
_OWNERS = _set("user users account accounts person people contact contacts member members customer customers")


def _words(
    text: str, risk: Risk, why: str, harmless: frozenset[str] = frozenset(), graver: str = "", **about: frozenset[str]
) -> tuple[Word, ...]:
    by_risk = {Risk(name): nouns for name, nouns in about.items()}
    return tuple(Word(base, risk, why, by_risk, harmless, graver) for base in text.split())


WORDS: tuple[Word, ...] = (
    # -- data or access is lost
    *_words("delete deletion remove removal destroy destruction erase erasure", Risk.DESTROY, "it is gone afterwards",
            harmless=_TAGS, disrupt=_set("session sessions")),
    *_words("obliterate eradicate annihilate nuke dispose dissolve disband", Risk.DESTROY, "it is gone afterwards"),
    *_words("redact", Risk.CHANGE, "parts are made unreadable", graver="what it said is gone",
            destroy=_set("message messages record records transaction comment comments issue")),
    *_words("anonymize anonymise pseudonymize", Risk.CHANGE, "a copy without names is made", graver="who it was cannot be told any more", destroy=_OWNERS),
    *_words("reclaim", Risk.CHANGE, "it is taken back", graver="what was deleted cannot be had back", destroy=_set("storage capacity space")),
    *_words("refresh", Risk.CHANGE, "it is read anew", graver="what was there is replaced by what it is made from", destroy=_set("volume clone lun filesystem filesystems"), change=_set("quota quotas cache token list")),
    *_words("repurpose", Risk.CHANGE, "it serves another purpose", graver="what was on it is lost", destroy=_HOSTS),
    *_words("undo", Risk.CHANGE, "it is as it was", graver="what was done since is lost", destroy=_set("edit edits checkout change changes draft commit")),
    *_words("trash", Risk.DESTROY, "it is to be deleted"),
    *_words("wipe shred sanitize sanitization purge expunge getrid teardown tidy", Risk.DESTROY, "what was there is gone"),
    *_words("prune vacuum cleanup truncate empty gc garbagecollection", Risk.DESTROY, "whatever is not in use, or old, is deleted"),
    *_words("format reformat", Risk.DESTROY, "the medium is empty afterwards", change=_PAPERS),
    *_words("cryptographic zeroize", Risk.DESTROY, "the medium is empty afterwards"),
    *_words("initialize initialise reinitialize", Risk.CHANGE, "it is set up anew", destroy=_HOSTS),
    *_words("decommission retire deprovision unprovision uninstall destruct offboard unconfigure deinit deinitialize deinitialise uninitialize uninitialise smartfail", Risk.DESTROY, "it is taken out for good"),
    *_words("revoke revocation deauthorize unauthorize untrust distrust", Risk.DESTROY, "whoever used it has no access any more"),
    *_words("invalidate", Risk.DESTROY, "whoever used it has no access any more", change=_set("cache"), disrupt=_SESSIONS),
    *_words("expire", Risk.DESTROY, "it ends at once", change=_set("password passwords")),
    *_words("drop abandon", Risk.DESTROY, "it is let go of and cannot be had back"),
    *_words("forget", Risk.DESTROY, "it is let go of and cannot be had back", change=_set("password passwords")),
    *_words("discard", Risk.DESTROY, "it is let go of and cannot be had back", disrupt=_set("run runs plan plans")),
    *_words("clear", Risk.DESTROY, "what was recorded is gone", change=_MARKS | _set("cache caches"),
            disrupt=_SESSIONS | _set("run runs dagrun dagruns mac macs arp neighbor neighbors neighbour neighbours fdb bgp")),
    *_words("overwrite", Risk.DESTROY, "what was there is replaced",
            change=_set("rule rules settings configuration config labels tags values properties")),
    *_words("rebuild", Risk.DESTROY, "it is made anew and what was on it is lost", change=_set("index cache metadata")),
    *_words("recreate reinstall reinstallation reimage reprovision", Risk.DESTROY,
            "it is made anew and what was on it is lost", disrupt=_set("deployment service application pod")),
    *_words("restore", Risk.DESTROY, "what was written since is lost", change=_set("user users trash deleted archived")),
    *_words("revert rollback", Risk.DESTROY, "what was done since is lost",
            disrupt=_set("deployment release firmware update upgrade rollout job application applications app apps revision")),
    *_words("backtrack flashback", Risk.DESTROY, "what was done since is lost"),
    *_words("factoryreset restoredefaults", Risk.DESTROY, "all settings are lost"),
    *_words("shrink", Risk.DESTROY, "what does not fit any more is lost"),
    *_words("clean", Risk.CHANGE, "it is tidied", destroy=_HOSTS | _set("devices data files")),
    *_words("transfer", Risk.CHANGE, "it goes to another place",
            destroy=_set("project repository ownership owner domain account organization organisation")),
    *_words("trim", Risk.CHANGE, "unused space is given back", destroy=_set("key keys version versions snapshots")),
    *_words("release", Risk.CHANGE, "it is given back",
            destroy=_set("ip ips address addresses eip elastic floating allocation reservation")),
    *_words("terminate termination", Risk.DESTROY, "it ends and is gone",
            disrupt=_SESSIONS | _set("build builds call calls")),
    *_words("deregister unregister unenroll", Risk.DESTROY, "it is not known any more",
            disrupt=_set("target targets backend instance instances")),
    # -- service is interrupted
    *_words("reboot restart recycle cycle bounce redeploy powercycle coldboot warmboot softreboot", Risk.DISRUPT,
            "it goes away and comes back"),
    *_words("reset", Risk.DISRUPT, "it begins anew", change=_PEOPLE,
            destroy=_set("default defaults factory configuration config all settings")),
    *_words("shutdown shut poweroff halt stop quit", Risk.DISRUPT, "it does not serve any more", change=_WATCHING),
    *_words("powerstate powercontrol poweraction poweroperation powermanagement powercommand", Risk.DISRUPT,
            "what has no power does not serve"),
    *_words("deallocate hibernate hibernation suspend suspension freeze quiesce standby sleep", Risk.DISRUPT,
            "it does not serve meanwhile"),
    *_words("pause", Risk.DISRUPT, "it does not serve meanwhile",
            change=_set("alert alerts notification notifications reminder reminders")),
    *_words("kill panic crash nmi", Risk.DISRUPT, "it ends without cleaning up"),
    *_words("void", Risk.DISRUPT, "it does not hold any more"),
    *_words("undeploy hangup disarm preempt expel abdicate unclaim", Risk.DISRUPT, "it does not serve any more"),
    *_words("fracture reprotect", Risk.DISRUPT, "the two sides are not kept alike meanwhile, or in the other direction"),
    *_words("taint", Risk.DISRUPT, "nothing is placed there, and what runs there may have to go"),
    *_words("shed curtail", Risk.DISRUPT, "less is supplied than before"),
    *_words("end", Risk.CHANGE, "it is over", graver="whoever takes part is cut off", disrupt=_SESSIONS | _CALLS | _REPLICATED),
    *_words("hold", Risk.CHANGE, "it is kept", graver="nobody is heard meanwhile", disrupt=_CALLS | _set("leg")),
    *_words("open", Risk.CHANGE, "it is open", graver="what is behind it has no power", disrupt=_set("breaker breakers contactor contactors disconnector circuit relay")),
    *_words("unlock", Risk.CHANGE, "it can be used again", graver="what is plugged in is let go", disrupt=_set("connector connectors")),
    *_words("acquire", Risk.CHANGE, "it is somebody's", graver="whoever had it has it no more", disrupt=_set("alias aliases")),
    *_words("yield", Risk.CHANGE, "it makes room", graver="it waits meanwhile", disrupt=_set("job task")),
    *_words("seek", Risk.CHANGE, "it goes on elsewhere", graver="what lies between is done twice or never", disrupt=_set("subscription consumer offset offsets")),
    *_words("inject", Risk.CHANGE, "it is put in", graver="a fault is made",
            disrupt=_set("fault faults failure failures error errors latency delay chaos")),
    *_words("decrease reduce lower", Risk.CHANGE, "there is less of it", graver="less serves, or is kept, than before", destroy=_set("retention"),
            disrupt=_set("replica replicas replication factor node nodes capacity shard shards instances members")),
    *_words("restrict", Risk.CHANGE, "less is allowed", graver="whoever used it may not any more", disrupt=_set("user users app apps member account accounts")),
    *_words("enforce", Risk.CHANGE, "it has to be kept", graver="it takes effect at once", disrupt=_set("rule rules")),
    *_words("abort cancel cancellation", Risk.DISRUPT, "work is left half done", change=_ENDING_NOUNS),
    *_words("swap", Risk.CHANGE, "each stands for the other", graver="what served there is elsewhere",
            disrupt=_set("slot slots environment environments cname cnames warm spare primary secondary address addresses ip ips "
                         "server servers controller controllers node nodes role roles")),
    *_words("break", Risk.CHANGE, "there is a gap", graver="the two are not kept alike any more", disrupt=_REPLICATED),
    *_words("reverse", Risk.CHANGE, "it goes the other way", graver="the other side serves", disrupt=_REPLICATED),
    *_words("shift", Risk.CHANGE, "it is elsewhere", graver="what served there serves no more", disrupt=_set("traffic zonal zone")),
    *_words("interrupt", Risk.DISRUPT, "work is left half done"),
    *_words("failover failback switchover cutover takeover giveback demote demotion stepdown", Risk.DISRUPT,
            "another one serves, and what is connected is cut off"),
    *_words("promote promotion", Risk.DISRUPT, "another one serves, and what is connected is cut off",
            change=_set("user users member members admin administrator relay")),
    *_words("evict eviction evacuate evacuation drain cordon entermaintenance", Risk.DISRUPT, "what runs there has to go elsewhere"),
    *_words("migrate migration relocate", Risk.DISRUPT, "it moves while it is in use",
            change=_set("repository repositories repo repos organization org")),
    *_words("seal", Risk.DISRUPT, "nothing is served until it is unsealed"),
    *_words("rotate rotation regenerate regeneration regen rekey reissue", Risk.DISRUPT, "what uses the old one stops working",
            change=_set("log logs")),
    *_words("roll", Risk.CHANGE, "it goes on", graver="what uses the old one stops working", disrupt=_set("key keys secret secrets credential credentials token tokens")),
    *_words("detach detachment unmount umount unmap unexport unpublish unshare dismount", Risk.DISRUPT,
            "whoever uses it is cut off"),
    *_words("disconnect disassociate dissociate unbind unlink unassign unplug unpeer eject", Risk.DISRUPT,
            "whoever uses it is cut off", destroy=_set("role roles permission permissions license licence")),
    *_words("disable deactivate deactivation", Risk.DISRUPT, "it does not serve any more", change=_HARMLESS_OFF),
    *_words("block ban quarantine isolate fence blacklist blackhole lockout", Risk.DISRUPT, "it is shut out", change=_set("until media medium tape tapes file files storage cidr")),
    *_words("lock", Risk.DISRUPT, "nobody can use it meanwhile", change=_KEPT),
    *_words("logout logoff signout kick", Risk.DISRUPT, "whoever is logged in is cut off"),
    *_words("leave unjoin withdraw offline sever", Risk.DISRUPT, "it takes no part any more"),
    *_words("upgrade downgrade patchup reflash flash", Risk.DISRUPT, "it goes away while its software is replaced",
            change=_set("led leds light lights lamp")),
    *_words("trip", Risk.CHANGE, "it is set off", disrupt=_set("breaker breakers circuit circuits relay relays inlet outlet fuse")),
    *_words("override", Risk.CHANGE, "another value holds", disrupt=_set("point points setpoint setpoints output outputs value")),
    *_words("install installation", Risk.DISRUPT, "software is replaced while it is in use",
            change=_set("license licence certificate key plugin extension app agent")),
    *_words("apply", Risk.DISRUPT, "it takes effect at once", change=_set("tag tags label labels filter license archive")),
    *_words("close", Risk.CHANGE, "it is not open any more",
            disrupt=_set("index indices shard connection connections session sessions tunnel port account")),
    *_words("reload", Risk.DISRUPT, "it begins anew"),
    *_words("rescue unrescue", Risk.DISRUPT, "it boots into another system"),
    *_words("flush", Risk.DISRUPT, "what was held there is let go", change=_set("cache caches dns buffer buffers"),
            destroy=_set("queue database log logs data all")),
    *_words("scaledown scalein scaletozero", Risk.DISRUPT, "less serves than before"),
    *_words("resize", Risk.CHANGE, "its size changes",
            disrupt=_set("server servers instance instances vm machine node droplet flavor type")),
    *_words("reassign reassignment", Risk.CHANGE, "it is somebody else's",
            disrupt=_set("partition partitions shard shards replica replicas")),
    *_words("exclude exclusion", Risk.DISRUPT, "it takes no part any more",
            change=_set("pattern patterns file files path paths rule rules tag tags field fields backup")),
    *_words("unload", Risk.DISRUPT, "whoever uses it is cut off"),
    *_words("forceunlock", Risk.DISRUPT, "whoever holds it loses it"),
    *_words("remount remap", Risk.DISRUPT, "it is not where it was"),
)  # fmt: skip

# What only a custom action says of itself: as the first word of a text these are everyday changes (“Update a volume”).
OF_ACTIONS: tuple[Word, ...] = (
    *_words("update", Risk.CHANGE, "it is set anew",
            disrupt=_set("firmware software system appliance bios cluster package packages os kernel device devices controller "
                         "host hosts machine release")),
    *_words("simpleupdate", Risk.DISRUPT, "software is replaced while it is in use"),
    *_words("import", Risk.DISRUPT, "what is imported takes effect at once", change=_COPIES, disrupt=_CONFIGURED),
    *_words("factory", Risk.DESTROY, "all settings are lost"),
    *_words("eligibility schedulable unschedulable", Risk.CHANGE, "whether it is chosen is set",
            disrupt=_set("node nodes host hosts server servers agent agents client clients")),
    *_words("execute run", Risk.CHANGE, "what it holds is done",
            disrupt=_set("control controls changecontrol script scripts playbook playbooks runbook runbooks command commands")),
    *_words("power off down", Risk.DISRUPT, "what has no power does not serve"),
)  # fmt: skip

# Written apart in one place and together in another.
PAIRS: Mapping[tuple[str, str], str] = {
    (two.partition("+")[0], two.partition("+")[2]): two.replace("+", "")
    for two in ["look+up", "step+down", "fail+over", "fail+back", "switch+over", "cut+over", "take+over", "roll+back", "clean+up", "tear+down", "power+cycle", "cold+boot", "warm+boot", "get+rid", "factory+reset", "scale+down", "scale+in", "log+out", "log+off", "sign+out", "power+state", "power+control", "power+action", "power+operation", "power+management", "power+command", "restore+defaults", "white+list", "black+list", "lock+out", "dry+run", "power+on", "power+up", "un+delete", "un+lock", "un+pause", "un+seal", "un+block", "un+ban", "un+suspend", "un+cordon", "un+freeze", "un+mount", "un+map", "un+assign", "un+link", "un+bind", "un+install", "un+register", "un+share", "un+publish", "re+build", "re+install", "re+image", "re+create", "re+boot", "re+start", "re+set", "re+key", "give+back", "simple+update", "garbage+collection", "garbage+collect", "force+unlock", "hang+up", "un+deploy", "de+authorize", "un+claim", "un+configure", "restore+points", "file+system", "file+systems", "transfer+in", "data+loss"]
} | {
    ("shut", "down"): "shutdown", ("shut", "off"): "poweroff", ("power", "off"): "poweroff", ("power", "down"): "poweroff",
    ("powered", "off"): "poweroff", ("turn", "off"): "poweroff", ("switch", "off"): "poweroff", ("turn", "on"): "poweron",
    ("switch", "on"): "poweron", ("force", "off"): "poweroff", ("take", "down"): "shutdown", ("bring", "down"): "shutdown",
    ("restart", "graceful"): "restart", ("reset", "factory"): "factoryreset", ("take", "offline"): "offline",
    ("power", "status"): "powerstate", ("powering", "off"): "poweroff",
    ("fails", "over"): "failover", ("fails", "back"): "failback", ("rolls", "back"): "rollback", ("hangs", "up"): "hangup",
    ("turns", "off"): "poweroff", ("powers", "off"): "poweroff", ("powers", "down"): "poweroff", ("shuts", "down"): "shutdown",
    ("logs", "out"): "logout", ("logs", "off"): "logout", ("signs", "out"): "signout", ("switches", "over"): "switchover",
    ("change", "type"): "resize",
    # The manner, and not that something is cleaned; hosts are updated one by one, and each is away meanwhile.
    ("clean", "reboot"): "restart", ("clean", "restart"): "restart", ("clean", "shutdown"): "shutdown",
    ("rolling", "update"): "simpleupdate",
    ("enter", "maintenance"): "entermaintenance",
    ("into", "maintenance"): "entermaintenance",
    ("start", "maintenance"): "entermaintenance",
    ("enable", "maintenance"): "entermaintenance",
}  # fmt: skip

# So unmistakable that a GET, a switch in a body or half of a run-together name (`forcedelete`) means it.
STRONG = _set(
    "reboot restart shutdown poweroff powercycle reset factoryreset delete remove destroy erase wipe purge halt kill "
    "terminate shred sanitize reimage reinstall failover evict drain revoke getrid decommission format teardown"
)
# A member of a body called so is an order: `prune: true`.
SWITCHES = STRONG | {"prune", "overwrite"}
# As often a thing as a deed: alone, in a text of something that is read, they do nothing.
THINGS = _set("end hold open yield swap break shift roll void refresh undo seek reverse lower restrict taint")
# Words run together (`disablescheduling`, `remotestop`): what may stand with a verb, besides all that verbs are about.
TOGETHER = _set(
    "app application cluster pod container containers snapshot group order orders item items card clock simulation scheduling "
    "player route routes acl gyro gyros resize member firmware interface vlan outlet database bucket queue topic"
)
BEFORE_TOGETHER = _set("remote bulk mass batch auto")
# Without its tag nobody finds it any more.
TAGGED_TO_BE_FOUND = _set("image images registry repository manifest artifact artifacts")
# Of these it is known that what was not written yet is lost.
STOPPING = _set("power poweroff off reset reboot restart powercycle stop halt shutdown kill restarts reboots")
# What a name says will be lost, whatever its verb is.
LOST = _set("dataloss")
AGAINST = _set("no not prevent prevention protect protection avoid without detect detection policy policies")
# What is looked at or shines: off or on, it serves as before.
WATCHED = _WATCHING | _HARMLESS_OFF
# Of what a server is a member, as its own switch says (`PUT /cluster` with `enabled`): taken out of it, many begin anew.
MEMBERSHIP = _set("cluster clustering membership swarm quorum federation")
# With a partner less nothing takes over.
STANDBY = _set("ha failover availability standby")
MEMBER_OR_NOT = _set("enable enabled disable disabled active cluster clustering clustered joined member is ha")
ALONE = _set("disabled disable off standalone none left single")
# As a thing that is made (“Create an eviction”), these are done.
DEEDS = _set(
    "powerstate entermaintenance garbagecollection gc reboot restart reset shutdown poweroff failover failback switchover cutover deletion removal eviction evacuation "
    "restore rollback migration trash wipe erasure destruction purge termination revocation rotation reimage rebuild reinstall "
    "upgrade downgrade decommission detachment takeover hibernation suspension"
)
# What stands for something that may happen later, or did: a deletion policy deletes nothing.
STANDING = _set(
    "policy policies schedule schedules setting settings config configuration rule rules template templates window "
    "windows protection history log logs status state states info information event events hook hooks script reason "
    "reasons permission permissions count counts counter counters option options preference preferences method methods "
    "time date timeout interval threshold level levels type types mode modes notification notifications plan plans "
    "profile profiles size supply supplies usage consumption outlet outlets feed feeds rate rates delay delays speed speeds cap caps limit limits budget panel panels point points marker "
    "markers note notes"
)
# Verbs that say nothing themselves: what is done stands behind them.
LIGHT = _set(
    "perform do execute trigger initiate request issue send invoke run begin start force cause make submit schedule "
    "dispatch launch process handle queue enqueue confirm commit complete finalize emulate press push dryrun test"
)
# Before the verb, or beside it.
ADVERBS = _set(
    "immediately forcibly gracefully permanently safely asynchronously optionally bulk batch mass force forced hard soft "
    "cold warm secure graceful immediate async do api v1 v2 action actions also now this it endpoint "
    "operation method call used allows enables lets you"
)
# Known verbs after which nouns follow.
PLAIN = _set(
    "post create add update set modify edit change configure enable register upload attach assign associate generate resume "
    "get list show read query search find lookup check validate verify preview describe count estimate calculate compare "
    "download export retrieve return fetch view copy clone duplicate snapshot mount map connect join bind link grant "
    "allow unlock unblock unban unpause unsuspend unseal uncordon undelete unarchive archive activate approve reject "
    "accept deny move rename replace extend expand grow scale backup sync synchronize resync refresh rescan scan discover "
    "install renew sign issue publish share import save store insert append define declare declarative patch put mark "
    "tag label annotate manage control log sign obtain provide open close claim acquire reserve allocate poweron wake "
    "boot blink locate identify inspect evaluate simulate parse lint diff filter subscribe unsubscribe notify report "
    "convert transfer split merge rebalance repair replicate protect ensure provision deploy order select pin stage "
    "prepare allocate wait attach ack acknowledge comment untag unlabel"
)
ASKING = _set(
    "translate get list show read query search find lookup check validate verify preview describe count estimate calculate compare "
    "retrieve fetch view inspect evaluate simulate parse lint diff filter display obtain return discover explain"
)
# What changes something, though it harms nothing: a GET that begins so is no read. These are never nouns.
CHANGING = _set(
    "add create modify edit configure enable attach assign associate unlock unblock unban unpause unsuspend unseal "
    "uncordon undelete unarchive activate approve reject accept deny rename replace extend expand renew publish insert "
    "append subscribe unsubscribe notify poweron rebalance replicate provision send resend submit "
    "invoke acknowledge ack acquire allocate refresh rescan resync synchronize resume toggle"
)
# These can be nouns, and `Update status` is one: in a sentence as it stands, beside a name that begins so, or not at all.
_ALSO_NOUNS = _set(
    "update set start boot wake import clone duplicate sync register merge save upload put complete push trigger deploy "
    "repair"
)
NOUNS_TOO = _set(
    "change tag label mark share store copy backup issue sign grant join bind move split scale mount stage pin reserve "
    "protect archive annotate"
)
# What they begin decides, unless a name says the same: `Execute a policy`, of which `/policy/{id}/execute` is the address.
BEGINNING = _set("run execute perform process launch initiate open")
# What is made by asking for it, and is only the answer.
ANSWERS = _set(
    "list report reports summary overview preview view diff page csv pdf graph chart link url qr image thumbnail query "
    "search check test export download estimate calculation comparison hash uuid copy"
)
# Values of a member that says what is to be, or to be done, besides the words above.
OFF = _set(
    "off stopped stopping halted paused suspended down shutdown shutoff offline inactive terminated deallocated hibernated "
    "poweredoff force graceful button softoff hard cold standby sleeping disabled acpi"
)
ON = _set(
    "on start started running resume resumed poweron poweredon active unpause online enable up boot wake play continue"
)
COMMANDS = _set("exec shell cmd command commands graphql rpc jsonrpc sql eval script runcommand")
BEFORE_NEGATED = _set("not no never without non nor cannot prevent prevents avoid avoids rather")
BREAKS = _set(", . ; : ( )")
JOINTS = _set(", ; : / and or then & to will can may must that")
PREPOSITIONS = _set(
    "of for on in at from to with by into onto as if when while after before until via using during than against whether"
)


def _inflected(base: str) -> set[str]:
    stem = base.removesuffix("e")
    doubled = base + base[-1]
    forms = {base, f"{base}s", f"{stem}ing", f"{doubled}ing"}
    if base.endswith(("s", "x", "ch", "sh")):
        forms.add(f"{base}es")
    return forms | ({f"{base[:-1]}ies"} if base.endswith("y") else set())


def _by_form(words: tuple[Word, ...]) -> dict[str, Word]:
    return {form: word for word in words for form in sorted(_inflected(word.base))}


FORMS: Mapping[str, Word] = _by_form(WORDS)
FORMS_OF_ACTIONS: Mapping[str, Word] = {**FORMS, **_by_form(OF_ACTIONS)}
NOUNS = frozenset().union(*(nouns for word in (*WORDS, *OF_ACTIONS) for nouns in word.about.values())) - {
    "until",
    "all",
}
STRONG_FORMS = frozenset(form for form, word in FORMS.items() if word.base in STRONG)
ASKING_FORMS = frozenset(form for base in ASKING for form in _inflected(base))
PLAIN_FORMS = frozenset(form for base in PLAIN | ASKING for form in _inflected(base)) - set(FORMS)
CHANGING_FORMS: Mapping[str, str] = {
    form: base
    for base in sorted(CHANGING | _ALSO_NOUNS | NOUNS_TOO | BEGINNING)
    for form in (base, f"{base}s", f"{base}es")
}
LIGHT_FORMS = frozenset(form for base in LIGHT for form in _inflected(base)) - set(FORMS)

# What lets somebody in: a GET that generates one makes a new one each time.
SECRETS = _set("credential credentials cred creds key keys token tokens password passwords certificate secret sts")
# Verbs that names have behind what they are about (`circuits_terminations_create`), and within (`pki-configure-tidy`).
AT_THE_END = _set("create update list read add edit get cancel abort undo")
WITHIN = _set("configure create read list get update set write generate sign")
# Sentences that begin so are about something else: what is to be done first, what is to be avoided.
CONDITIONS = _set(
    "before after if when unless once until ensure note to as while although make please use see for in with"
)
# What may stand behind an order that is a member's name: `rebootNow`, `wipe_disks`.
ORDERED = _set(
    "now all immediately data disk disks vm vms snapshots device host node server system after update upgrade afterwards "
    "volume volumes contents files children"
)
