"""The text of a YAML flow file comes in, its tree with the place of every node goes out, with findings.

PyYAML gives events, and they are composed here without recursion, for two reasons. Its own composer
recurses, in C: a text of 100,000 opening brackets ends the process. And it forgets where things stood.

The limits guard the event loop itself, so that nothing after it has to count:

- 4 MiB of text; 100 levels (libyaml's scanner is quadratic in the depth of brackets); 200,000 nodes. An alias
  counts as many nodes, levels and characters as what it stands for, so that the tree, in which a repeated
  node is one object, is never larger to walk than it may be to read.
- 100 directives, for libyaml compares each `%TAG` with all before it.

A syntax error ends the reading: libyaml cannot go on behind it. The documents before it are kept and
`Tree.whole` is False. One slip gives one finding: where a finding already speaks of the line of the syntax
error, the error is not said again. What is no syntax error to YAML but was clearly meant otherwise is set
right in the tree as well (`flowc.read_yaml.repairs`), so that nothing stumbles over it later.

A tree keeps some hundred thousand objects alive and makes no cycles, so the cycle collector is off meanwhile:
it would take a third of the time.
"""

import gc

from yaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml._yaml import CParser
from yaml._yaml import Mark as CMark
from yaml.error import Mark, MarkedYAMLError, YAMLError

from flowc.diagnostic import Diagnostic
from flowc.read_yaml import cuts as yaml_cuts
from flowc.read_yaml.compose import compose
from flowc.read_yaml.cuts import line_end, line_start, unclosed
from flowc.read_yaml.frame import Anchored, Frame, LastKind
from flowc.read_yaml.origin import find_origin
from flowc.read_yaml.refusals import (
    bad_key,
    beyond_limit,
    directive,
    long_number,
    no_such_anchor,
    tagged,
    too_many_directives,
)
from flowc.read_yaml.scalars import core_value, is_long_number
from flowc.read_yaml.source_text import decode, foreign_characters
from flowc.span import Source, Span
from flowc.tree import Document, Entry, Node, Scalar, Style, Tree
from flowrt.pattern import pattern

DEPTH_LIMIT = 100
NODES_LIMIT = 200_000
CHARS_LIMIT = 4 * 1024 * 1024

_STYLES: dict[str | None, Style] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_BLOCK_STYLES: frozenset[Style] = frozenset({"literal", "folded"})
_PROPERTIES = pattern(r"(?:[&!][^\s,\[\]{}]*(?:\s+(?:#[^\n]*\n\s*)*)?)+")


def read_bytes(name: str, data: bytes) -> tuple[Tree, list[Diagnostic]]:
    """Reads the bytes of a file.

    Args:
        name: What messages call the file.
        data: Its bytes, in UTF-8.

    Returns:
        What `read` returns; without any document when the bytes are not text.
    """
    source, findings = decode(name, data)
    if findings:
        return Tree(source, (), whole=False), findings
    return read(source)


def read(source: Source) -> tuple[Tree, list[Diagnostic]]:
    """Reads a YAML text. Never raises, whatever the text.

    Returns:
        The tree and the findings. Where `Tree.whole` is False something is missing in the tree, and stages
        after this one should not speak of what they cannot find.
    """
    if source.text.startswith("\ufeff"):
        source = Source(source.name, source.text[1:])
    findings = foreign_characters(source) or too_many_directives(source)
    if findings:
        return Tree(source, (), whole=False), findings
    composer = _Composer(source)
    was_on = gc.isenabled()
    gc.disable()
    try:
        composer.run()
    finally:
        if was_on:
            gc.enable()
    return Tree(source, tuple(composer.documents), composer.whole), composer.findings


def cut_by_comment(source: Source, scalar: Scalar) -> Diagnostic | None:
    """A finding when ` #` cuts a scalar of an expression place in the middle of a quote or bracket.

    Where there is one, the expression should not be parsed: it is only the first half.
    """
    return yaml_cuts.cut_by_comment(source, scalar)


def _index(mark: Mark | CMark | None) -> int:
    assert mark is not None  # The parser gives every event both marks.
    return mark.index


class _Composer:
    """Reads one text; `documents`, `findings` and `whole` are the result."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.documents: list[Document] = []
        self.findings: list[Diagnostic] = []
        self.whole = True
        self._stack: list[Frame] = []
        self._closed: list[Frame] = []
        self._root: Node | None = None
        self._anchors: dict[str, Anchored | None] = {}
        self._last: tuple[LastKind, int, int] = ("nothing", 0, 0)
        self._nodes = 0
        self._chars = 0
        self._stopped = False
        self._document_at = 0

    def run(self) -> None:
        """Takes the events until the end of the text, a syntax error, or a limit."""
        try:
            parser = CParser(self.text)
            while not self._stopped:
                self._take(parser.get_event())
        except MarkedYAMLError as error:
            self._syntax_error(error)
        except YAMLError as error:
            self._lose(Diagnostic("F0020", f"YAML cannot read this: {error}", self.source, Span(0, 0)))

    def _take(self, event: object) -> None:
        match event:
            case ScalarEvent():
                self._scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                self._open(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._close(_index(event.end_mark))
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent():
                self._start_document(event)
            case DocumentEndEvent():
                self._end_document(_index(event.end_mark))
            case StreamEndEvent() | None:
                self._stopped = True
            case _:
                pass  # The start of the stream says nothing.

    def _start_document(self, event: DocumentStartEvent) -> None:
        at = _index(event.start_mark)
        self._document_at = at
        self._root = None
        self._anchors = {}
        if event.tags or (event.version and event.version != (1, 2)):
            self.findings.append(directive(self.source, _index(event.end_mark)))

    def _end_document(self, end: int) -> None:
        root = self._root
        if isinstance(root, Scalar) and root.style == "plain" and not root.text:
            root = None
        self.documents.append(Document(root, Span(self._document_at, max(end, self._document_at))))

    def _scalar(self, event: ScalarEvent) -> None:
        start, end = _index(event.start_mark), _index(event.end_mark)
        text, style = event.value, _STYLES[event.style]
        if event.anchor is not None or event.tag is not None:
            start = self._after_properties(start, end, event.tag)
        self._last = (style, start, end)
        if self._closed:
            self._closed.clear()
        origin = find_origin(self.text, start, end, text, style)
        if style in _BLOCK_STYLES:
            end = start + len(self.text[start:end].rstrip("\r\n "))
        value = core_value(text) if style == "plain" else text
        node = Scalar(Span(start, end), text, value, style, origin)
        if style == "plain" and value is text:
            node = self._seen_plain(node)
        self._nodes += 1
        self._chars += len(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchored(node, 1, len(text), 1)
        self._add(node, 1)

    def _seen_plain(self, node: Scalar) -> Scalar:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.flow and unclosed(node.text) is not None:
            frame.suspect = True
        if is_long_number(node.text):
            self.findings.append(long_number(self.source, node.span))
            return Scalar(
                node.span, "0", 0, "plain", node.span.start
            )  # A number, so that no other stage wonders.
        return node

    def _after_properties(self, start: int, end: int, tag: str | None) -> int:
        """Where a node begins behind its anchor and tag."""
        properties = _PROPERTIES.match(self.text, start, max(start, end))
        after = properties.end() if properties else start
        if tag is not None:
            at = max(start, self.text.find("!", start, max(after, start + 1)))
            self.findings.append(tagged(self.source, at))
        return min(after, end)

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        mark = event.start_mark
        assert mark is not None  # The parser gives every event both marks.
        self._nodes += 1
        self._closed.clear()
        frame = Frame(
            isinstance(event, SequenceStartEvent),
            bool(event.flow_style),
            mark.index,
            mark.column,
            event.anchor,
            self._nodes - 1,
            self._chars,
            [],
            [],
        )
        if event.anchor is not None or event.tag is not None:
            frame.start = self._after_properties(mark.index, len(self.text), event.tag)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(frame)
        if len(self._stack) > DEPTH_LIMIT:
            self._beyond(f"this stands more than {DEPTH_LIMIT} levels deep", frame.start)

    def _close(self, end: int) -> None:
        frame = self._stack.pop()
        self._closed.append(frame)
        if frame.flow:
            self._last = ("brackets", frame.start, end)
        found = len(self.findings)
        node = compose(self.source, frame, self._stack, end, self.findings)
        if any(finding.code == "F0013" for finding in self.findings[found:]):
            self.whole = False  # What was cut may have been a declaration.
        if frame.anchor is not None:
            self._anchors[frame.anchor] = Anchored(
                node, self._nodes - frame.nodes, self._chars - frame.chars, frame.height + 1
            )
        self._add(node, frame.height + 1)

    def _alias(self, event: AliasEvent) -> None:
        start, end = _index(event.start_mark), _index(event.end_mark)
        self._last = ("alias", start, end)
        self._closed.clear()
        name = event.anchor or ""
        anchored = self._anchors.get(name)
        self._nodes += anchored.nodes if anchored else 1
        self._chars += anchored.chars if anchored else 0
        if anchored is None:
            inside = name in self._anchors
            self._lose(no_such_anchor(self.source, name, Span(start, end), inside=inside))
            self._skip()
        elif len(self._stack) + anchored.height > DEPTH_LIMIT:
            self._beyond(
                f"this stands more than {DEPTH_LIMIT} levels deep, with what the alias stands for", start
            )
        else:
            self._add(anchored.node, anchored.height)

    def _add(self, node: Node, height: int) -> None:
        """Puts a node where it belongs: into the list or map that is open, or at the root."""
        if self._nodes > NODES_LIMIT or self._chars > CHARS_LIMIT:
            self._beyond("the file, with what its aliases stand for, has too many nodes", node.span.start)
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.height = max(frame.height, height)
        if frame.is_list:
            frame.items.append(node)
        elif frame.at_value:
            if frame.key is not None:
                frame.entries.append(Entry(frame.key, node))
            frame.key, frame.at_value = None, False
        else:
            frame.key, frame.at_value = self._key(node), True

    def _skip(self) -> None:
        """Leaves a place empty whose node is not known: an item, an entry, or the root."""
        frame = self._stack[-1] if self._stack else None
        if frame is not None and not frame.is_list:
            frame.key, frame.at_value = None, not frame.at_value

    def _key(self, node: Node) -> Scalar | None:
        refused = bad_key(self.source, node)
        if refused is not None:
            self._lose(refused)
        return node if refused is None and isinstance(node, Scalar) else None

    def _lose(self, diagnostic: Diagnostic) -> None:
        """A finding after which something is missing in the tree."""
        self.findings.append(diagnostic)
        self.whole = False

    def _beyond(self, message: str, at: int) -> None:
        """A limit is passed: nothing more is read."""
        if not self._stopped:
            self._lose(beyond_limit(self.source, message, at))
        self._stopped = True

    def _syntax_error(self, error: MarkedYAMLError) -> None:
        from flowc.read_yaml.faults.explain import explain  # noqa: PLC0415 - most files have no syntax error,
        from flowc.read_yaml.faults.fault import Fault, Last, Level  # noqa: PLC0415 - and start sooner so.

        self.whole = False
        source = self.source
        at = min(_index(error.problem_mark), len(self.text))
        open_frames = (*self._stack, *reversed(self._closed))
        fault = Fault(
            source,
            error.problem or "",
            at,
            error.context or "",
            _index(error.context_mark) if error.context_mark else at,
            Last(*self._last),
            tuple(Level(self._column(frame), frame.is_list) for frame in open_frames if not frame.flow),
            self._stack[-1].start if self._stack and self._stack[-1].flow else None,
        )
        diagnostic = explain(fault)
        place = diagnostic.span.start
        line = Span(line_start(source, place), line_end(source, place))
        if not any(line.start <= other.span.start <= line.end for other in self.findings):
            self.findings.append(diagnostic)

    def _column(self, frame: Frame) -> int:
        """The column of the keys or items of a list or map; its own may be that of its anchor."""
        first = frame.entries[0].key if frame.entries else frame.key
        return frame.column if first is None else first.span.start - line_start(self.source, first.span.start)
