"""A revision as a picture over REST: each form with its own type, and headers that let nothing in it do anything."""

from typing import Any

import httpx
import pytest


@pytest.mark.slow
async def test_a_revision_is_drawn_in_each_form_for_whoever_may_look_at_it(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as api:
        for form, kind, begin in (
            ("svg", "image/svg+xml", "<svg "),
            ("mermaid", "text/vnd.mermaid", "flowchart TD"),
            ("text", "text/plain", "toy-find-vm"),
        ):
            reply = await api.get(f"/workflows/toy-find-vm/graph?form={form}")
            assert reply.status_code == 200, reply.text
            assert reply.headers["content-type"].startswith(kind)
            assert reply.text.startswith(begin)
            assert "GET /vms" in reply.text
            assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert (await api.get("/workflows/toy-find-vm/graph?form=png")).status_code == 422
        assert (await api.get("/workflows/toy-nothing/graph")).status_code == 404
