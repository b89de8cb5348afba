"""YAML to a document, from libyaml's events, so that limits hold while the text is being read.

Here lives the builder; what a plain scalar means is in `yaml_scalars`. Here never lives a constructor that makes
anything but mappings with text keys, lists, text, numbers, booleans and null.
Called by `parse` alone. YAML 1.2 core schema: `no`, `on` and dates stay text, and keys are the text as written
(`200`, `on`), because that is what an OpenAPI author means and JSON would hold. Merge keys (`<<`) are taken, their
members counted. 0.2 s for 2.9 MB, against 0.8 s for CSafeLoader.
"""

from typing import Any

import yaml

from compiler.errors import LimitError, SpecError
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.yaml_scalars import ScalarReader

Json = Any
_NO_KEY = object()
_MERGE = object()
_STRUCTURES = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def parse_yaml(text: str, source: str, limits: ReadLimits) -> tuple[Json, int]:
    """The one document in `text`, and how many nodes it has with its aliases expanded.

    Raises SpecError (syntax, tags, duplicate keys, several documents) and LimitError.
    """
    builder = _Builder(source, limits)
    try:
        parser = yaml.CSafeLoader(text)  # its parser alone: nothing is constructed
        next_event = parser.get_event
        while builder.take(next_event()):
            pass
    except (yaml.YAMLError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        if "maximum nesting depth" in reason:  # of libyaml's own, which comes before ours in lists on one line
            raise LimitError(f"nested deeper than a thousand levels: {reason[:300]}", source) from error
        raise SpecError(f"not YAML: {_place_of(error) or reason[:300]}", source, remedy=_REMEDY) from error
    return builder.result, builder.nodes


_REMEDY = "correct the syntax of the file"


def _place_of(error: Exception) -> str:
    """What the parser objects to and where, counted as editors do; "" where it does not say."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or not problem:
        return ""
    return f"{str(problem)[:200]} in line {mark.line + 1}, column {mark.column + 1}"


class _Frame:
    """A mapping or list being filled. `height`: levels below it so far, aliases included."""

    __slots__ = ("anchor", "height", "key", "merged", "start", "value")

    def __init__(self, value: Json, anchor: str | None, start: int) -> None:
        self.value = value
        self.anchor = anchor
        self.start = start
        self.key: Any = _NO_KEY
        self.height = 1
        self.merged: dict[str, Json] | None = None


class _Builder:
    """Takes events in order. `anchors`: name → (value, nodes, height), or None while it is still being filled."""

    def __init__(self, source: str, limits: ReadLimits) -> None:
        self.source = source
        self.limits = limits
        self.nodes = 0
        self.result: Json = None
        self.documents = 0
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Json, int, int] | None] = {}
        self.scalars = ScalarReader(source, limits)
        self.takers = {
            yaml.ScalarEvent: self.take_scalar,
            yaml.MappingStartEvent: self.open_mapping,
            yaml.SequenceStartEvent: self.open_list,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.take_alias,
            yaml.DocumentStartEvent: self.open_document,
        }

    def take(self, event: Any) -> bool:
        """False when the stream has ended."""
        taker = self.takers.get(type(event))
        if taker is not None:
            taker(event)
            return True
        return not isinstance(event, yaml.StreamEndEvent)

    def open_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.refusal("the file holds several YAML documents", event, "keep one of them")

    def count(self, event: Any, nodes: int = 1) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.yaml_nodes:
            raise LimitError(f"more than {self.limits.yaml_nodes} values{_line(event)}, aliases counted", self.source)

    def take_scalar(self, event: Any) -> None:
        self.count(event)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is _NO_KEY and type(frame.value) is dict:
            is_plain = event.implicit[0] and event.style in (None, "")
            if event.tag is not None:
                self.scalars.value(event)  # refuses tags that are not allowed
            if event.anchor:
                self.anchors[event.anchor] = (event.value, 1, 0)
            self.set_key(frame, _MERGE if is_plain and event.value == "<<" else event.value, event)
            return
        value = self.scalars.value(event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        self.place(value, event)

    def set_key(self, frame: _Frame, key: Any, event: Any) -> None:
        if key in frame.value:
            remedy = "remove one of the two"
            raise self.refusal(f"the key {key[:80]!r} stands twice in one mapping", event, remedy)
        frame.key = key

    def open_mapping(self, event: Any) -> None:
        self.open({}, event)

    def open_list(self, event: Any) -> None:
        self.open([], event)

    def open(self, value: Json, event: Any) -> None:
        if event.tag is not None and event.tag not in _STRUCTURES:
            raise self.refusal(f"the tag {event.tag[:80]!r} is not read", event, "remove the tag")
        if len(self.stack) >= self.limits.depth:
            raise LimitError(f"nested deeper than {self.limits.depth} levels{_line(event)}", self.source)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is _NO_KEY and type(frame.value) is dict:
            raise self.refusal("a mapping or list stands where a key belongs", event, "use text as a key")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(value, event.anchor, self.nodes))
        self.count(event)

    def close(self, event: Any) -> None:
        frame = self.stack.pop()
        if frame.merged:
            for key, value in frame.merged.items():
                frame.value.setdefault(key, value)
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.value, self.nodes - frame.start, frame.height)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, frame.height + 1)
        self.place(frame.value, event)

    def take_alias(self, event: Any) -> None:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            known = event.anchor in self.anchors
            raise self.refusal(f"the alias *{event.anchor} " + ("holds itself" if known else "has no anchor"), event)
        value, nodes, height = anchored
        self.count(event, nodes)
        if not self.stack:
            raise self.refusal("an alias cannot be the document", event)
        frame = self.stack[-1]
        if len(self.stack) + height > self.limits.depth:
            raise LimitError(f"nested deeper than {self.limits.depth} levels{_line(event)}", self.source)
        frame.height = max(frame.height, height + 1)
        if frame.key is _NO_KEY and type(frame.value) is dict:
            if not isinstance(value, str):
                raise self.refusal("an alias of something else than text stands where a key belongs", event)
            self.set_key(frame, value, event)
            return
        self.place(value, event)

    def place(self, value: Json, event: Any) -> None:
        if not self.stack:
            self.result = value
            return
        frame = self.stack[-1]
        if type(frame.value) is list:
            frame.value.append(value)
        elif frame.key is _MERGE:
            self.merge(frame, value, event)
            frame.key = _NO_KEY
        else:
            frame.value[frame.key] = value
            frame.key = _NO_KEY

    def merge(self, frame: _Frame, value: Json, event: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        merged = frame.merged = frame.merged or {}
        for one in sources:
            if not isinstance(one, dict):
                raise self.refusal("<< takes mappings only", event, "write the members out")
            self.count(event, len(one))
            for key, member in one.items():
                merged.setdefault(key, member)

    def refusal(self, what: str, event: Any, remedy: str = "write the value out") -> SpecError:
        return SpecError(what + _line(event), self.source, remedy=remedy)


def _line(event: Any) -> str:
    mark = event.start_mark
    return f" (line {mark.line + 1})" if mark is not None else ""
