"""Form bodies (application/x-www-form-urlencoded): an object's members as fields, written one way for devices and twin.

Pure; used by `runtime.driver.wire` and by `compiler.proofs.proof`, whose twin reads with another's parser. Follows
OpenAPI 3.1, "Encoding Object": a list is as many fields of one name, an object is JSON.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from workflow.documents.document import Json
from workflow.documents.templates import text_of
from workflow.requests.multipart import kind_of

FORM = "application/x-www-form-urlencoded"


def is_form(content_type: str) -> bool:
    return kind_of(content_type) == FORM


def form_encoded(body: Mapping[str, Json]) -> bytes:
    """The fields of a form; members that are null are left out."""
    pairs = [(name, one) for name, value in body.items() for one in (value if isinstance(value, list) else [value])]
    return urlencode([(name, text_of(value)) for name, value in pairs if value is not None]).encode()
