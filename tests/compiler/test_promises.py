"""What a compile stores of replies: the schemas of what its workflows ask for, whole in themselves."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from governance.approval.revisions import RevisionStore
from governance.registry.responses import ResponseStore
from governance.storage.database import open_database
from switchgear.main import cli

SPEC = """
openapi: 3.1.0
info: {title: Shop, version: '1'}
servers: [{url: /v1}]
paths:
  /orders:
    get:
      operationId: list
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: &order {$ref: '#/components/schemas/Order'}}}}
        '404': {description: no, content: {application/json: {schema: {type: string}}}}
    post:
      operationId: make
      requestBody: {required: true, content: {application/json: {schema: *order}}}
      responses: {'2XX': {description: made, content: {application/json: {schema: *order}}}}
  /orders/{id}/print:
    get:
      operationId: print
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {text/plain: {schema: {type: string}}}}}
components:
  schemas:
    Order:
      type: object
      required: [title, pin]
      properties:
        id: {type: string, readOnly: true}
        title: {type: string}
        pin: {type: string, writeOnly: true}
        parent: {anyOf: [{$ref: '#/components/schemas/Order'}, {type: 'null'}]}
"""


async def stored(url: str) -> dict[str, Mapping[str, Any]]:
    """The schemas by operation's key, found through the digests that the stored revisions name."""
    async with open_database(url) as database:
        digests: dict[str, str] = {}
        for revision in await RevisionStore(database).find():
            digests |= (await RevisionStore(database).get(revision.id)).content.operations
        return {key: await ResponseStore(database).get(digest) for key, digest in digests.items()}


def test_schemas_of_successful_json_replies_are_stored_whole_under_the_digests_that_revisions_name(
    tmp_path: Path,
) -> None:
    spec, url = tmp_path / "shop.yaml", f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    spec.write_text(SPEC)
    result = CliRunner().invoke(cli, ["compile", str(spec), "--db", url])
    assert result.exit_code == 0, result.output
    found = asyncio.run(stored(url))
    assert set(found["GET /orders"]) == {"200"} and set(found["POST /orders"]) == {"2XX"}
    assert not found.get("GET /orders/{id}/print")
    order = found["GET /orders"]["200"]["components"]["schemas"]["Order"]
    assert order["required"] == ["title"], "a reply does not hold what is write-only"
