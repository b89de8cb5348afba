"""What whole phrases of a description say: that something is lost or interrupted, or that nothing changes.

Data alone: regular expressions over plain lower-case text, each with its class and reason; none repeats without a
bound. A phrase behind a negation or a condition (`not`, `if`, `may need`) does not count. Read by `judging`.
"""

import re

from workflow.risks import Risk

_WILL = r"(?:will(?: then)? be|is|are|gets?|get|being) (?:also |then |immediately |automatically |permanently |all )?"
_GONE = r"(?:lost|deleted|erased|destroyed|wiped|overwritten|removed permanently|discarded|purged|formatted)"
_DOWN = r"(?:rebooted|restarted|power(?:ed)? off|power[- ]cycled|shut ?down|interrupted|disconnected|evicted|evacuated|drained|cut off|killed|stopped|terminated|unavailable)"

PHRASES: tuple[tuple[re.Pattern[str], Risk, str], ...] = tuple(
    (re.compile(pattern), risk, why)
    for pattern, risk, why in (
        (rf"\b(?:data|contents?|everything|files?|settings|changes|programs?|disks?|partitions?|volumes?)\b[^.;]{{0,40}} {_WILL}{_GONE}", Risk.DESTROY, "data are lost"),
        (rf"\bwhat(?:ever)? (?:is|was|stands) (?:on|in|there)\b[^.;]{{0,24}} {_WILL}{_GONE}", Risk.DESTROY, "data are lost"),
        (r"\b(?:permanently|irreversibly|irrevocably) (?:delet|remov|eras|destroy|wip|discard|los)", Risk.DESTROY, "it cannot be undone"),
        (r"\b(?:cannot|can not|can't|can never) be (?:undone|reversed|recovered|reverted)\b", Risk.DESTROY, "it cannot be undone"),
        (r"\b(?:is|are) (?:irreversible|unrecoverable|not reversible|destructive)\b", Risk.DESTROY, "it cannot be undone"),
        (r"\b(?:irreversible|destructive) (?:operation|action|command)", Risk.DESTROY, "it cannot be undone"),
        (r"\b(?:data loss|loss of (?:all )?data|lose all|loses all|erases all|deletes all|wipes (?:all|the))\b", Risk.DESTROY, "data are lost"),
        (rf"\b(?:entities|records|objects|documents|rows|tables|databases|entries)\b[^.;]{{0,40}} {_WILL}overwritten", Risk.DESTROY, "data are lost"),
        (r"\bby overwriting\b", Risk.DESTROY, "what was there is overwritten"),
        (r"\breturn(?:s|ing)? (?:[a-z]+ ){0,4}to (?:the|a|its) (?:previous |earlier |original )?(?:state|point)\b", Risk.DESTROY, "what was done since is lost"),
        (r"\b(?:set|sets|reset|resets|restore|restores|return|returns) (?:[a-z]+ ){0,5}to (?:[a-z]+ )?(?:factory|defaults?)\b", Risk.DESTROY, "settings are lost"),
        (r"\b(?:all|existing|active|current|open) (?:[a-z]+ )?(?:tokens|keys|credentials|certificates) (?:[a-z]+ )?(?:become|are|will be) (?:revoked|invalid|invalidated)\b", Risk.DESTROY, "access is lost"),
        (rf"\b(?:server|host|node|machine|vm|system|device|instance|container|service|pod|controller|switch|cluster|appliance|workload|connections?|sessions?|traffic|clients?|users?|guests?|i/o)s?\b[^.;,]{{0,30}} {_WILL}{_DOWN}", Risk.DISRUPT, "it does not serve meanwhile"),
        (r"\b(?:causes?|incurs?|results? in|leads? to) (?:[a-z]+ ){0,3}(?:downtime|outages?|interruptions?|disruptions?|reboots?|restarts?)\b", Risk.DISRUPT, "service is interrupted"),
        (r"\b(?:interrupts|disrupts|drops|terminates|kills) (?:all |any |the |active |running |existing |network )*(?:connections?|sessions?|traffic|services?|process|processes|i/o|clients?|workloads?)\b", Risk.DISRUPT, "service is interrupted"),
        (r"\b(?:reboots|restarts|power[- ]cycles|shuts down|powers off|powers down|takes down|tears down) (?:the|this|all|an?|every|it)\b", Risk.DISRUPT, "it goes away"),
        (r"\b(?:causes?|makes?|forces?) (?:[a-z]+ ){1,5}to (?:reboot|restart|shut down|power off|go offline|fail over|stop)\b", Risk.DISRUPT, "it goes away"),
        (r"\b(?:moves?|shifts?|diverts?|drains?) (?:[a-z]+ ){0,3}traffic (?:[a-z]+ ){0,6}away\b", Risk.DISRUPT, "what served it serves it no more"),
        (r"\b(?:old|previous|current|existing|former) (?:[a-z]+ ){0,2}(?:key|secret|token|password|certificate|credential)s? (?:will )?(?:immediately )?(?:stops?|expires?|becomes? invalid|(?:is|are|be) (?:invalidated|revoked|expired))\b", Risk.DISRUPT, "what uses the old one stops working"),
        (r"\bgoes (?:offline|down)\b|\btakes? (?:[a-z]+ ){0,4}offline\b", Risk.DISRUPT, "it goes away"),
        (r"\b(?:is|are|becomes?|will be) (?:temporarily )?(?:unavailable|inaccessible|unreachable)\b", Risk.DISRUPT, "it does not serve meanwhile"),
        (r"\b(?:cannot|can no longer|can not) (?:be )?(?:read|used?|accessed|access|reached|reach|connect)\b[^.;]{0,24}\b(?:until|while|during|any ?more|any longer)\b", Risk.DISRUPT, "it does not serve meanwhile"),
        (r"\b(?:bring|take|tear|put|mark)s? (?:[a-z]+ ){1,3}(?:down|offline|out of service)\b", Risk.DISRUPT, "it does not serve any more"),
        (r"\bgraphql\b|\barbitrary (?:commands?|code|scripts?|queries|sql)\b|\bmutations?\b", Risk.DISRUPT, "whatever is sent is done"),
        (r"\b(?:performs?|executes?|runs?|sends?) (?:an?|any|the|raw|custom|given|specified) (?:[a-z]+ )?(?:operations?|statements?|quer(?:y|ies)|commands?|sql) (?:on|against|in|to) (?:an?|the|your|this|any) (?:[a-z]+ ){0,2}(?:databases?|db|server|device|host|node|cluster|shell|switch)\b", Risk.DISRUPT, "whatever is sent is done"),
    )
)  # fmt: skip

# A warning counts as much as a promise, save of a power action: what a server had not written yet is lost with its power.
MAY_LOSE = re.compile(
    r"\b(?:may|might|can|could|will) (?:result in|cause|lead to|incur) (?:[a-z]+ ){0,2}(?:data loss|loss of (?:[a-z]+ )?data)\b|"
    r"\bdata (?:may|might|can|could) (?:be|get) lost\b"
)

UNLESS = re.compile(
    r"\b(?:not|no|never|may|might|could|can|without|n't|cannot|avoids?|prevents?|if|unless|may (?:need|require)|requires?|needs? to|must|"
    r"until|before|after|whether|when|once|instead of|should)\b[^.;]{0,60}$"
)

# What comes of an error (“if an error occurs, the workflow fails, the data is deleted”) is not what is done.
AFTER_AN_ERROR = re.compile(
    r"\b(?:if|when|in case of|after|on) (?:an? |any |some )?(?:errors?|failures?|exceptions?)\b[^.;]{0,160}$"
)

_CALL = "(?:operation|action|call|method|request|endpoint|command|api|query|mode|and idempotent|and safe)s?"
# The call has to be read-only, and no thing that is spoken of: `The tape is read-only.`
CHANGES_NOTHING = re.compile(
    rf"\bread[- ]only {_CALL}\b|\b{_CALL} (?:is|are) (?:a |strictly |purely )?read[- ]only\b|"
    r"(?:^|[.;,(])\s*read[- ]only(?=[.;,)]|$)|"
    r"\b(?:does|do|will) not (?:change|modify|alter|affect|apply|create|persist|save|store|execute)\b|"
    r"\bwithout (?:applying|changing|modifying|altering|making|creating|saving|storing|executing|persisting)\b|"
    r"\b(?:no|nothing|none)\b[^.;]{0,20} (?:is|are|will be) (?:changed|made|modified|saved|stored|applied|created)\b|"
    r"\bno (?:side[- ]effects?|changes?)\b"
)
