"""A tree and the comments of its file come in; text of the DSL in canonical form goes out.

The form: four blanks a level; one statement a line; when that is longer than 100 columns, what follows a call
goes on in the next line, and a call that is too long by itself has a line for each of its arguments; what a
flow says of itself in the lines below its first one, in the author's order; a blank line between flows, and
elsewhere where there were some.
"""

from flowc.comments.comment import Comment
from flowc.comments.page import Page, bounds
from flowc.tree import Document, Entry, Mapping, Scalar, Tree
from flowc.write_dsl.modifiers import modifiers, name
from flowc.write_dsl.steps import INDENT, WIDTH, StepWriter
from flowc.write_dsl.values import data, duration, expression, one_line_text, text
from flowrt.pattern import pattern

_FILE_KEYS = ("flowc", "use", "events", "actors")
_ABOUT = ("doc", "timeout", "schedule", "labels", "defaults")
_MODULE = pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_LABEL = pattern(r"[^\W\d]\w*\Z")


def write_dsl(tree: Tree, comments: tuple[Comment, ...]) -> str:
    """The text of a tree that has been resolved without errors.

    Raises:
        Unwritable: A part of it has no form in the DSL.
    """
    return _Writer(tree, comments).run()


class _Writer:
    """Writes one file."""

    def __init__(self, tree: Tree, comments: tuple[Comment, ...]) -> None:
        self.documents = [each for each in tree.documents if isinstance(each.root, Mapping)]
        self.page = Page(tree.source, comments)
        self.trivia = self.page.trivia
        self.steps = StepWriter(self.page)

    def run(self) -> str:
        end = len(self.page.text)
        for index, document in enumerate(self.documents):
            last = index + 1 == len(self.documents)
            self._document(document, end if last else self.documents[index + 1].span.start)
        return self.page.finished()

    def _document(self, document: Document, limit: int) -> None:
        assert isinstance(document.root, Mapping)  # The others were left out.
        fields = {entry.key.text: entry for entry in document.root.entries}
        entries = [fields[key] for key in _FILE_KEYS if key in fields]
        if self.page.lines:
            self.page.blank()
        for entry in entries:
            self._file_key(entry)
        if len(entries) > 1:
            self.page.blank()
        start = min(fields[key].key.span.start for key in ("flow", "doc", "inputs") if key in fields)
        self.page.comments(self.trivia.before(start), 0)
        self._flow(fields, limit)

    def _file_key(self, entry: Entry) -> None:
        self.page.before(entry.key.span.start, entry.key.span.start, 0)
        node = entry.value
        if not isinstance(node, Mapping):
            self.page.comments(self.trivia.before(entry.key.span.end, 0), 0)
            behind = self.trivia.behind(node.span.end)
            self.page.comments([] if behind is None else [behind], 0)
            return
        make = {"use": _use, "events": _event, "actors": _actor}[entry.key.text]
        starts = bounds([each.key.span.start for each in node.entries], node.span.end)
        for index, each in enumerate(node.entries):
            self.page.before(starts[index], each.key.span.start, 0)
            self.page.line(0, make(each), each.value.span.end)
        self.page.comments(self.trivia.before(node.span.end), 0)

    def _flow(self, fields: dict[str, Entry], limit: int) -> None:
        self._signature(fields)
        self.page.begin()
        about = sorted(
            (fields[key] for key in _ABOUT if key in fields), key=lambda entry: entry.key.span.start
        )
        body = fields.get("steps") or fields.get("graph")
        result = fields.get("result")
        for entry in about:
            self._about(entry)
        if body is not None:
            after = result.key.span.start if result is not None else limit
            self._above(body)
            self.steps.body(body, INDENT, after if after > body.key.span.start else limit)
        if result is not None:
            self._above(result)
            self.page.line(INDENT, f"result {expression(result.value)}", result.value.span.end)

    def _above(self, entry: Entry) -> None:
        self.page.before(entry.key.span.start, entry.key.span.start, INDENT)

    def _signature(self, fields: dict[str, Entry]) -> None:
        flow, inputs, returns = (fields.get(key) for key in ("flow", "inputs", "returns"))
        assert flow is not None  # Every flow has a name.
        first = f"flow {name(flow.value).strip()}("
        last = f") -> {name(returns.value).strip()}:" if returns is not None else "):"
        end = (returns or flow).value.span.end
        entries = inputs.value.entries if inputs is not None and isinstance(inputs.value, Mapping) else ()
        given = [_input(entry) for entry in entries]
        line = f"{first}{', '.join(given)}{last}"
        span = None if inputs is None else inputs.value.span
        commented = span is not None and any(
            self.trivia.is_any_between(span.start, span.end) or self.trivia.has_behind(entry.value.span.end)
            for entry in entries
        )
        if len(line) <= WIDTH and not commented:
            self.page.line(0, line, end)
            return
        self.page.line(0, first, flow.value.span.end)
        starts = bounds([entry.key.span.start for entry in entries], span.end if span is not None else 0)
        for index, (entry, each) in enumerate(zip(entries, given, strict=True)):
            self.page.comments(self.trivia.before(starts[index]), INDENT)
            self.page.line(INDENT, f"{each},", entry.value.span.end)
        self.page.comments(self.trivia.before(starts[-1]), INDENT)
        self.page.line(0, last, end)

    def _about(self, entry: Entry) -> None:
        """A line, or some, that a flow says of itself."""
        self._above(entry)
        node, key = entry.value, entry.key.text
        if key == "doc":
            self.page.comments(self.trivia.before(node.span.end), INDENT)
            behind = self.trivia.behind(node.span.end)
            first, *rest = text(name(node), " " * INDENT).split("\n")
            self.page.line(INDENT, first, None)
            self.page.raw(rest)
            self.page.attach(*(() if behind is None else (behind,)))
        elif key == "timeout":
            self.page.line(INDENT, f"timeout {duration(node)}", node.span.end)
        elif isinstance(node, Mapping) and key == "labels":
            starts = bounds([each.key.span.start for each in node.entries], node.span.end)
            for index, each in enumerate(node.entries):
                self.page.before(starts[index], each.key.span.start, INDENT)
                label = each.key.text if _LABEL.match(each.key.text) else one_line_text(each.key.text)
                line = f"label {label} = {one_line_text(name(each.value))}"
                self.page.line(INDENT, line, each.value.span.end)
        elif isinstance(node, Mapping):
            self.page.comments(self.trivia.before(node.span.end, entry.key.span.start), INDENT)
            fields = {each.key.text: each for each in node.entries}
            self.page.line(INDENT, f"{key}{modifiers(fields, *fields)}", node.span.end)


def _use(entry: Entry) -> str:
    module = name(entry.value).strip()
    return f"use {module if _MODULE.match(module) else one_line_text(module)} as {entry.key.text}"


def _event(entry: Entry) -> str:
    node = entry.value
    fields = {each.key.text: each.value for each in node.entries} if isinstance(node, Mapping) else {}
    key = f"(key: {name(fields['key']).strip()})" if "key" in fields else ""
    of_type = f": {name(fields['type']).strip()}" if "type" in fields else ""
    external = fields.get("external")
    is_external = isinstance(external, Scalar) and external.value is True
    return f"event {entry.key.text}{key}{of_type}{' external' if is_external else ''}"


def _actor(entry: Entry) -> str:
    return f"actor {entry.key.text}: {name(entry.value).strip()}"


def _input(entry: Entry) -> str:
    node = entry.value
    if not isinstance(node, Mapping):
        return f"{entry.key.text}: {name(node).strip()}"
    fields = {each.key.text: each.value for each in node.entries}
    of_type = f": {name(fields['type']).strip()}" if "type" in fields else ""
    default = f" = {data(fields['default'])}" if "default" in fields else ""
    more = (f" {key} {data(fields[key])}" for key in ("min", "max", "choices") if key in fields)
    doc = f" doc {one_line_text(name(fields['doc']))}" if "doc" in fields else ""
    return f"{entry.key.text}{of_type}{default}{''.join(more)}{doc}"
