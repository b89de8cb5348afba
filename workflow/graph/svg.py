"""A workflow as SVG: a card for each step from top to bottom, its exits as rows with an arrow to where they lead.

No script, no style sheet, no style attribute, no reference to anything: it may stand in a page with the strictest
content policy. Colours are presentation attributes: the page's own (`Canvas`, `CanvasText`, within plain ones for
whoever does not know these), and for the classes of risk middle tones that are seen on both; a class is a word as well.
Text is set in a fixed width, so that lines are broken by counting. Follows SVG 2. Called by `drawing`. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from textwrap import wrap

from workflow.graph.flow import Box, Exit, FlowChart

COLUMNS = 62
_CHARACTER, _LINE, _SIZE = 7.3, 17, 12  # of the usual fixed-width faces at this size
_PAD, _GAP, _LANE, _STUB = 12, 30, 12, 26
_CARD = int(COLUMNS * _CHARACTER) + 2 * _PAD
_LEFT = 12
_RISKS = {"read": "#5b8fb0", "change": "#b8860b", "disrupt": "#d9622b", "destroy": "#c93c37"}
_OUTCOMES = {"succeeded": "#3d9a50", "pending": "#b8860b", "failed": "#c93c37", "unknown": "#9a5bb0"}
_PLAIN = "#808890"


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of text of a card; `exit` where an arrow begins at it."""

    text: str
    kind: str
    exit: Exit | None = None


@dataclass(frozen=True, slots=True)
class _Card:
    box: Box
    rows: tuple[_Row, ...]
    top: int

    @property
    def height(self) -> int:
        return len(self.rows) * _LINE + 2 * _PAD

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def middle_of(self, row: int) -> int:
        return self.top + _PAD + row * _LINE + _LINE // 2


def as_svg(flows: tuple[FlowChart, ...]) -> str:
    """One `svg` element with all workflows one below the other; its name is the first one's heading."""
    parts: list[str] = []
    top = _GAP
    lanes = 0
    for flow in flows:
        cards = _cards(flow, top)
        drawn = _flow(flow, cards, top)
        lanes = max(lanes, _jumps(cards))
        parts += drawn
        top = cards[-1].bottom + 3 * _GAP
    width = _LEFT + _CARD + _STUB + _LANE * (lanes + 1) + _LEFT
    name = f'"{escape(flows[0].heading)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" aria-label={name}'
            f' viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
            f' font-family="ui-monospace, Menlo, Consolas, monospace" font-size="{_SIZE}">',
            f"<title>{escape(flows[0].heading)}</title>",
            f'<g fill="#ffffff"><rect class="graph-ground" width="{width}" height="{top}" rx="6" fill="Canvas"/></g>',
            '<g fill="#1f2328"><g class="graph-ink" fill="CanvasText">',
            *parts,
            "</g></g>",
            "</svg>",
        ]
    )


def _cards(flow: FlowChart, top: int) -> list[_Card]:
    """Below the heading and the inputs, one card after the other."""
    cards: list[_Card] = []
    top += len(_broken(flow.heading)) * _LINE + len(_broken(flow.start)) * _LINE + _GAP
    for box in flow.boxes:
        cards.append(_Card(box, tuple(_rows(box)), top))
        top = cards[-1].bottom + _GAP
    return cards


def _rows(box: Box) -> Iterator[_Row]:
    yield from _lines(box.heading, "heading")
    yield from _lines(box.operation, "operation")
    yield from _lines(box.description, "words")
    for line in box.sends:
        yield from _lines(f"sends {line}", "sends")
    for line in box.holds:
        yield from _lines(f"holds {line}", "holds")
    for line in box.notes:
        yield from _lines(line, "note")
    for each in box.exits:
        first, *others = _broken(each.line)
        yield _Row(first, "exit", each)
        yield from (_Row(f"  {other}", "exit") for other in (*others, *_broken(each.condition)))


def _lines(text: str, kind: str) -> Iterator[_Row]:
    return (_Row(line, kind) for line in _broken(text))


def _broken(text: str) -> list[str]:
    return wrap(text, COLUMNS - 2, break_on_hyphens=False) or ([text] if text else [])


def _flow(flow: FlowChart, cards: Sequence[_Card], top: int) -> list[str]:
    head = [*_broken(flow.heading), *_broken(flow.start)]
    bold = len(_broken(flow.heading))
    parts = [_text(_LEFT, top + row * _LINE, line, is_bold=row < bold) for row, line in enumerate(head)]
    parts += [part for card in cards for part in _card(card)]
    parts.append(_arrow(cards[0].top - _GAP + 8, cards[0].top))
    for card, following in pairwise(cards):
        parts += [_arrow(card.bottom, following.top)] if card.box.falls_through else []
    end = cards[-1].bottom
    parts += [_arrow(end, end + _GAP)] if cards[-1].box.falls_through else []
    parts += [_text(_LEFT, end + _GAP + 14 + row * _LINE, line) for row, line in enumerate(_broken(f"■ {flow.end}"))]
    return [*parts, *_exits(cards)]


def _card(card: _Card) -> list[str]:
    colour = _RISKS.get(card.box.risk, _PLAIN)
    kind = f"graph-step graph-{card.box.risk}" if card.box.risk in _RISKS else "graph-step"
    place = f'x="{_LEFT}" y="{card.top}" height="{card.height}"'
    frame = f'<rect class="{kind}" {place} width="{_CARD}" rx="4" fill="none" stroke="{colour}"/>'
    bar = f'<rect class="graph-bar" {place} width="5" rx="2" fill="{colour}"/>'
    lines = [
        _text(_LEFT + _PAD, card.middle_of(row) + 4, each.text, is_bold=each.kind == "heading", kind=each.kind)
        for row, each in enumerate(card.rows)
    ]
    return [frame, bar, *lines]


def _text(x: int, y: int, text: str, *, is_bold: bool = False, kind: str = "words") -> str:
    bold = ' font-weight="bold"' if is_bold else ""
    return f'<text class="graph-{kind}" x="{x}" y="{y}" xml:space="preserve"{bold}>{escape(text)}</text>'


def _arrow(start: int, end: int) -> str:
    x = _LEFT + _CARD // 2
    return _line(f"M{x} {start}V{end - 2}", _PLAIN) + _head(x, end, "down", _PLAIN)


def _line(path: str, colour: str) -> str:
    return f'<path class="graph-way" d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _head(x: int, y: int, way: str, colour: str) -> str:
    shapes = {"down": f"M{x - 5} {y - 8}h10l-5 8z", "left": f"M{x + 8} {y - 5}v10l-8 -5z"}
    return f'<path d="{shapes[way]}" fill="{colour}"/>'


def _jumps(cards: Sequence[_Card]) -> int:
    return sum(row.exit is not None and row.exit.kind == "goes_on" for card in cards for row in card.rows)


def _exits(cards: Sequence[_Card]) -> Iterator[str]:
    """From each exit's row to the right: to another card by a lane of its own, back to its own card, or to an end."""
    edge, lane = _LEFT + _CARD, 0
    for card in cards:
        for number, row in enumerate(card.rows):
            if row.exit is None:
                continue
            y = card.middle_of(number)
            if row.exit.to is not None:
                lane += 1
                yield _jump(edge, y, cards[row.exit.to - 1].middle_of(0), edge + _STUB + lane * _LANE)
            elif row.exit.kind == "again":
                yield _line(f"M{edge} {y}h{_STUB // 2}V{card.top + 8}H{edge + 8}", _PLAIN)
                yield _head(edge, card.top + 8, "left", _PLAIN)
            else:
                yield _end(edge, y, _OUTCOMES.get(row.exit.outcome, _PLAIN))


def _jump(edge: int, y: int, to: int, x: int) -> str:
    return _line(f"M{edge} {y}H{x}V{to}H{edge + 8}", _PLAIN) + _head(edge, to, "left", _PLAIN)


def _end(edge: int, y: int, colour: str) -> str:
    x = edge + _STUB - 8
    return _line(f"M{edge} {y}H{x}", colour) + f'<rect x="{x}" y="{y - 4}" width="8" height="8" fill="{colour}"/>'
