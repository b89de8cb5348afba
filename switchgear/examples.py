"""One or two examples of every command, as `--help` and docs/CLI.md show them.

In one place because they tell one story: a cluster called `lab` that speaks the API `hypercore`, its workflows, and
an agent. Tests hold each against the command that it shows, and that there is one for each. Here never lives a command.
"""

from collections.abc import Mapping
from types import MappingProxyType

_RUN = "0190a7c2-5d1e-7b3a-9c54-2f6e8d1b7a90"
EXAMPLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "": ("init", "compile hypercore", "workflows list --risk read", "demo --short"),
        "demo": ("demo --short", "demo --keep"),
        "init": ("init", "init --db sqlite+aiosqlite:////srv/switchgear/switchgear.db"),
        "compile": (
            "compile hypercore",
            "compile openapi.yaml --profile profile.yaml --check",
            "compile hypercore --report hypercore.html",
        ),
        "eval": ("eval proposer hypercore --proposer ollama:qwen3:4b",),
        "eval proposer": ("eval proposer hypercore --proposer ollama:qwen3:4b",),
        "lint": ("lint openapi.yaml", "lint openapi.yaml --format sarif"),
        "diff": ("diff old.yaml new.yaml", "diff old.yaml new.yaml --report changes.html"),
        "mock": ("mock hypercore --port 9001", "mock --behaviours"),
        "workflows": ("workflows list --state pending", "workflows show hypercore_start_vm --graph"),
        "workflows list": (
            "workflows list --api hypercore --risk read",
            "workflows list -q 'start vm' --state pending",
        ),
        "workflows show": (
            "workflows show hypercore_start_vm",
            "workflows show hypercore_start_vm@1 --graph",
            "workflows show hypercore_start_vm --svg > start_vm.svg",
        ),
        "workflows diff": ("workflows diff hypercore_start_vm@2 --against hypercore_start_vm@1",),
        "workflows approve": (
            "workflows approve hypercore_start_vm@1 --reason 'read and tried'",
            "workflows approve 'hypercore_find_*' --risk read --dry-run",
            "workflows approve --api hypercore --risk read --yes",
        ),
        "workflows reject": ("workflows reject 'hypercore_delete_*' --reason 'not by agents' --yes",),
        "workflows retire": ("workflows retire hypercore_start_vm@1 --reason 'replaced by ensure'",),
        "workflows disable": ("workflows disable hypercore_start_vm --reason 'while the rack is moved'",),
        "workflows enable": ("workflows enable hypercore_start_vm",),
        "workflows disabled": ("workflows disabled",),
        "policy": ("policy show",),
        "policy show": ("policy show",),
        "policy check": ("policy check policy.yaml",),
        "policy apply": ("policy apply policy.yaml",),
        "targets": ("targets list --label site=oslo",),
        "targets add": (
            "targets add lab --api hypercore --url https://10.0.0.5/rest/v1 --username-ref env:LAB_USER"
            " --password-ref env:LAB_PASSWORD",
        ),
        "targets list": ("targets list", "targets list --api hypercore --label site=oslo"),
        "targets remove": ("targets remove lab",),
        "targets apply": ("targets apply inventory.yaml", "targets apply inventory.yaml --prune"),
        "targets export": ("targets export > inventory.yaml",),
        "targets test": ("targets test lab",),
        "serve": ("serve", "serve --port 0", "serve --transport stdio"),
        "call": (
            "call hypercore_start_vm vm=db-01",
            "call hypercore_start_vm vm=db-01 --plan",
            "call hypercore_start_vm vm=db-01 --label site=oslo --parallel 4",
        ),
        "api": ("api search start vm",),
        "api search": ("api search start vm", "api search delete snapshot --api hypercore"),
        "api describe": ("api describe 'POST /VirDomain/action'",),
        "asks": ("asks list",),
        "asks list": ("asks list --json",),
        "asks show": ("asks show 01a1f9d8-c518-7204-a7b0-4f5198346f10",),
        "asks let-through": ('asks let-through 01a1f9d8-c518-7204-a7b0-4f5198346f10 --reason "change 4711"',),
        "asks refuse": ('asks refuse 01a1f9d8-c518-7204-a7b0-4f5198346f10 --reason "a backup is running"',),
        "schedules": ("schedules list",),
        "schedules add": ("schedules add nightly hypercore_find_vms --cron '30 2 * * 1-5' --zone Europe/Oslo",),
        "schedules list": ("schedules list",),
        "schedules pause": ("schedules pause nightly",),
        "schedules resume": ("schedules resume nightly",),
        "schedules remove": ("schedules remove nightly",),
        "runs": ("runs list --outcome unknown",),
        "runs list": ("runs list --limit 10", "runs list --outcome failed --workflow 'hypercore_start*'"),
        "runs show": (f"runs show {_RUN}",),
        "runs watch": ("runs watch", f"runs watch {_RUN}"),
        "runs cancel": (f"runs cancel {_RUN}",),
        "runs resolve": (f"runs resolve {_RUN} --look", f"runs resolve {_RUN} --did-not-happen --note 'it is off'"),
        "runs replay": (f"runs replay {_RUN}",),
        "audit": ("audit verify",),
        "audit list": ("audit list --limit 20",),
        "audit export": ("audit export > audit.jsonl",),
        "audit stats": ("audit stats",),
        "audit verify": ("audit verify",),
        "bundle": ("bundle verify edge.bundle",),
        "bundle export": ("bundle export edge.bundle --name edge --version 3 --key signer.pem",),
        "bundle sign": ("bundle sign edge.bundle --key second.pem",),
        "bundle verify": ("bundle verify edge.bundle",),
        "bundle import": ("bundle import edge.bundle",),
        "bundle list": ("bundle list",),
        "bundle keys": ("bundle keys list",),
        "bundle keys generate": ("bundle keys generate signer.pem",),
        "bundle keys list": ("bundle keys list",),
        "bundle keys trust": ("bundle keys trust signer.pem.pub --name build",),
        "bundle keys revoke": ("bundle keys revoke build",),
        "bundle keys require": ("bundle keys require 2",),
        "webhooks": ("webhooks list",),
        "webhooks add": ("webhooks add change-board --secret-ref env:BOARD_SECRET --risk change",),
        "webhooks list": ("webhooks list",),
        "webhooks remove": ("webhooks remove change-board",),
        "webhooks endpoints": ("webhooks endpoints list",),
        "webhooks endpoints add": (
            "webhooks endpoints add pager https://pager.example/hook --new-secret pager.secret",
        ),
        "webhooks endpoints list": ("webhooks endpoints list",),
        "webhooks endpoints enable": ("webhooks endpoints enable pager",),
        "webhooks endpoints remove": ("webhooks endpoints remove pager",),
        "webhooks dead": ("webhooks dead list",),
        "webhooks dead list": ("webhooks dead list --endpoint pager",),
        "webhooks dead resend": (f"webhooks dead resend {_RUN}",),
        "tokens": ("tokens list",),
        "tokens create": (
            "tokens create my-agent --role operator",
            "tokens create reader --role viewer --api hypercore --days 30",
        ),
        "tokens list": ("tokens list",),
        "tokens revoke": ("tokens revoke my-agent",),
        "users": ("users list",),
        "users add": ("users add kari --role approver",),
        "users list": ("users list",),
        "users change": ("users change kari --role admin",),
        "users disable": ("users disable kari",),
        "users enable": ("users enable kari",),
        "users password": ("users password kari",),
        "client-config": ("client-config claude", "client-config cursor --url https://switchgear.example"),
        "db": ("db upgrade",),
        "db upgrade": ("db upgrade",),
        "db adopt": ("db adopt",),
        "db mend": ("db mend",),
        "doctor": ("doctor", "doctor --json"),
        "completion": ("completion bash >> ~/.bashrc", "completion fish > ~/.config/fish/completions/switchgear.fish"),
    }
)


def shown(path: str) -> str:
    """The examples of the command as a block that `--help` leaves as it is; empty where there are none."""
    lines = [f"  switchgear {line}" for line in EXAMPLES.get(path, ())]
    return "\n".join(["\b", "Examples:", *lines]) if lines else ""
