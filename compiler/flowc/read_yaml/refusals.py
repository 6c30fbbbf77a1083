"""What YAML allows and a flow file does not: a thing and its place come in, its finding goes out."""

from flowc.diagnostic import Diagnostic, Fix
from flowc.read_yaml.cuts import line_end
from flowc.read_yaml.words import WORDS, short
from flowc.span import Source, Span
from flowc.tree import Node, Scalar
from flowrt.pattern import pattern

DIRECTIVES_LIMIT = 100

_TAG = pattern(r"![^\s,\[\]{}]*")


def too_many_directives(source: Source) -> list[Diagnostic]:
    """A finding when many lines begin with `%`, which may all be directives."""
    if source.text.count("\n%") < DIRECTIVES_LIMIT:
        return []
    message = f"more than {DIRECTIVES_LIMIT} lines begin with `%`"
    at = source.text.index("\n%") + 1
    help_ = "remove them: a flow file needs no directives"
    return [Diagnostic("F0002", message, source, Span(at, at + 1), help=help_)]


def directive(source: Source, before: int) -> Diagnostic:
    """The finding about the directive that stands last before an offset."""
    at = max(0, source.text.rfind("%", 0, before))
    return Diagnostic(
        "F0019",
        "a flow file has no directives: it is always YAML 1.2",
        source,
        Span(at, line_end(source, at)),
        help="remove the line",
    )


def tagged(source: Source, at: int) -> Diagnostic:
    """The finding about a tag."""
    tag = _TAG.match(source.text, at)
    end = tag.end() if tag else at + 1
    return Diagnostic(
        "F0007",
        f"a flow has no tags, and `{short(source.text[at:end])}` is one to YAML",
        source,
        Span(at, end),
        help="remove it; a text that begins with `!` is written in quotes",
    )


def long_number(source: Source, span: Span) -> Diagnostic:
    """The finding about a number with too many digits."""
    message = "a number may have 1,000 digits, and this one has more"
    return Diagnostic("F0002", message, source, span, help="put it in quotes if it is a text")


def beyond_limit(source: Source, message: str, at: int) -> Diagnostic:
    """The finding about what is too much, said by `message`."""
    help_ = "keep data out of the flow: load it in a task"
    return Diagnostic("F0002", message, source, Span(at, at + 1), help=help_)


def no_such_anchor(source: Source, name: str, span: Span, *, inside: bool) -> Diagnostic:
    """The finding about an alias of nothing; `inside`: it stands inside what it names."""
    if inside:
        message = f"the alias `*{short(name)}` stands inside what it repeats"
        return Diagnostic("F0011", message, source, span, help="write the value out")
    return Diagnostic(
        "F0010",
        f"no anchor `&{short(name)}` stands before this alias",
        source,
        span,
        help="a text that begins with `*` is written in quotes",
    )


def bad_key(source: Source, node: Node) -> Diagnostic | None:
    """A finding when a node cannot be the key of a map."""
    if not isinstance(node, Scalar):
        if source.text.startswith("{{", node.span.start - 1):
            message, help_ = (
                "YAML takes `{{ }}` for a map inside a map",
                'a template is "${{ … }}", in quotes here',
            )
        else:
            message, help_ = "a key is a name, not a list or a map", "write a name as the key"
        return Diagnostic("F0009", message, source, node.span, help=help_)
    if node.style != "plain":
        return None
    if not node.text:
        span = Span(node.span.start, node.span.start + 1)
        return Diagnostic(
            "F0009", "a key is missing here", source, span, help="write a name before the colon"
        )
    if node.text[0] == "-" and node.text[1:] in WORDS:
        at = node.span.start + 1
        message = f"a space is missing between the dash and `{node.text[1:]}`"
        fix = Fix(Span(at, at), " ", "put a space after the dash", safe=True)
        help_ = "a list item begins with a dash and a space"
        return Diagnostic("F0018", message, source, node.span, help=help_, fixes=(fix,))
    return None


def merge_key(source: Source, span: Span) -> Diagnostic:
    """The finding about a merge key."""
    help_ = "write the keys out, or put what many calls share into `defaults` of the flow"
    return Diagnostic("F0008", "a flow has no merge keys", source, span, help=help_)
