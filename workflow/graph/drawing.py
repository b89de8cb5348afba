"""The one way in: a document drawn as lines of text, as SVG or as Mermaid.

The three show the same (`flow` says what), so that whoever cannot see the picture reads it. Called by governance for a
revision (`governance.approval.dossier`), by the compiler's report, and through them by the command line, REST and the
console. Here never lives what is shown nor how one form looks. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from workflow.documents.document import Json
from workflow.documents.reader import read_document
from workflow.graph.boxes import flows_of
from workflow.graph.flow import FlowChart
from workflow.graph.mermaid import as_mermaid
from workflow.graph.svg import as_svg
from workflow.graph.text import as_text

Form = Literal["text", "svg", "mermaid"]
FORMS: tuple[Form, ...] = get_args(Form)
_FORMS: Mapping[Form, Callable[[tuple[FlowChart, ...]], str]] = MappingProxyType(
    {"text": as_text, "svg": as_svg, "mermaid": as_mermaid}
)
_NONE: Mapping[str, Json] = MappingProxyType({})


def draw(
    document: Mapping[str, Json],
    form: Form,
    *,
    risks: Mapping[str, str] = _NONE,
    conditions: Mapping[str, Sequence[str]] = _NONE,
) -> str:
    """The document's first workflow, and those that it calls, in the form asked for.

    `risks`: the class of a step by its id; `conditions`: what it has to show besides, in words. The SVG has neither
    script nor style, has its own ground and the page's colours (`Canvas`, `CanvasText`), so that it is readable in
    light and dark, in a page or alone; classes (`graph-…`) let a page dress it. Every text in it is escaped and
    visible. Raises DocumentError for what is no Arazzo document.
    """
    return _FORMS[form](flows_of(read_document(document, "document"), risks, conditions))
