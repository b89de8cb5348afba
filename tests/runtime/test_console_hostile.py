"""Hostile texts sent by every form, as somebody who has a login would: whatever is stored or told again is text.

Each form of the console is sent with a hostile text in every field that takes one, and what answers is read as a
browser reads it; then so are all pages, which show by then what was taken of it.
"""

from typing import Any
from urllib.parse import quote

import pytest

from tests.runtime.test_console import PAGES, Browser, browsers, check_page  # noqa: F401  a fixture
from tests.runtime.test_console_texts import CORES

pytestmark = pytest.mark.long
# Beginnings after which a text would be something else than text, in the places that forms fill.
AFTER = ("", '">', "'", "</textarea>", "</pre>", "javascript:", "//evil.example/")
HERE = "{text}"
JSON_HERE = '{"vm": "{json}"}'
FORMS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/console/workflows/toy-find-vm", {"action": "disable", "reason": HERE}),
    ("/console/workflows/toy-find-vm", {"action": "enable"}),
    ("/console/decide", {"action": "reject", "item": HERE, "reason": HERE}),
    ("/console/workflows/toy-stop-vm/try", {"in.uuid": HERE, "target": "lab"}),
    ("/console/workflows/toy-stop-vm/try", {"in.uuid": HERE, "target": HERE, "labels": HERE, "parallel": HERE}),
    ("/console/workflows/toy-stop-vm/try", {"action": "apply these", "item": "{text} {text} {text} {text}"}),
    ("/console/workflows/toy-stop-vm/try", {"run": HERE}),
    ("/console/runs/none", {"action": "happened", "note": HERE}),
    ("/console/asks/none", {"action": "refuse", "reason": HERE}),
    ("/console/targets", {"name": HERE, "api": HERE, "base_url": HERE, "tls": HERE, "password_ref": HERE}),
    ("/console/targets", {"name": "rack", "api": "toy", "base_url": "https://10.0.0.5", "labels": HERE}),
    ("/console/targets/lab", {"action": "change", "seen": HERE, "api": HERE, "base_url": HERE}),
    ("/console/schedules", {"action": "add", "name": HERE, "workflow": HERE, "cron": HERE, "zone": HERE}),
    ("/console/schedules", {"action": "add", "name": HERE, "workflow": "toy-find-vm", "cron": "0 0 * * *",
                            "inputs": JSON_HERE}),
    ("/console/access", {"action": "create token", "name": HERE, "role": "viewer"}),
    ("/console/access", {"action": "create token", "name": "t", "role": HERE, "apis": HERE, "labels": HERE}),
    ("/console/access", {"action": "add user", "name": HERE, "role": "viewer", "also": HERE, "password": HERE}),
    ("/console/access", {"action": "add user", "name": "kari", "role": "viewer", "also": HERE, "workflows": HERE}),
    ("/console/events", {"action": "add endpoint", "name": HERE, "url": HERE, "secret_ref": HERE, "kinds": HERE}),
    ("/console/events", {"action": "add endpoint", "name": "chat", "url": "https://x.test/{text}",
                         "secret_ref": "env:X", "apis": HERE}),
    ("/console/events", {"action": "add sender", "name": HERE, "secret_ref": HERE, "workflows": HERE}),
    ("/console/events", {"action": "add sender", "name": "desk", "secret_ref": "env:X", "workflows": HERE}),
    ("/console/policy", {"action": "preview", "policy": HERE}),
    ("/console/policy", {"action": "preview", "policy": "classes: {read: {approvals: '{json}'}}"}),
    ("/console/library", {"action": "put", "kind": "specs", "name": HERE, "text": HERE}),
    ("/console/bundles", {"action": "export", "name": HERE, "version": HERE, "api": HERE}),
    ("/console/sites", {"action": "invite", "name": HERE, "labels": HERE, "minutes": HERE}),
    ("/console/fleet", {"action": "plan", "workflow": HERE, "sites": HERE, "labels": HERE, "inputs": HERE}),
)  # fmt: skip
ASKED = ("queue?q=", "queue?api=", "queue?older=", "runs?workflow=", "runs?caller=", "audit?actor=", "audit?subject=",
         "catalog?q=", "targets?label=", "sites?label=", "fleet?workflow=", "fleet?labels=", "workflows/")  # fmt: skip


def filled(text: str, fields: dict[str, str]) -> dict[str, str]:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return {name: value.replace("{text}", text).replace("{json}", escaped) for name, value in fields.items()}


async def test_hostile_texts_in_every_form_are_text_wherever_they_come_to_stand(lab: Any, browsers: Any) -> None:  # noqa: F811
    browser: Browser = await browsers()
    await browser.get("/console/queue")
    stored = 0
    for number, core in enumerate(CORES):
        text = AFTER[number % len(AFTER)] + core
        for path, fields in FORMS:
            answer = await browser.send(path, filled(text, fields))
            assert answer.status_code < 500, (path, answer.text)
            stored += answer.status_code == 303
            if answer.status_code != 303:
                check_page(answer)
        for asked in ASKED:
            answer = await browser.client.get(f"/console/{asked}{quote(text, safe='')}")
            assert answer.status_code < 500, (asked, text)
            check_page(answer)
    for path in PAGES:
        check_page(await browser.client.get(path))
    assert stored > len(CORES), "something of it was stored, and stands on pages"
