"""The text of a flow file comes in; the same flow in canonical form, or in the other syntax, goes out.

What is written is read again, and given out only if it means the same and holds the same comments: whatever
a writer may get wrong, no file is harmed. The same means the same IR, and within YAML also the same keys and
texts. A file with errors is not rewritten, for nobody knows what it means; findings about names and paths do
not matter here.
"""

from collections import Counter
from typing import Literal, TypeAlias

from flowc.comments.comment import Comment
from flowc.comments.in_expressions import comments_in_expressions
from flowc.comments.of_dsl import comments_of_dsl
from flowc.comments.of_yaml import comments_of_yaml
from flowc.diagnostic import Diagnostic
from flowc.ir import File
from flowc.likeness import difference, tree_difference
from flowc.read_dsl.read import read as read_dsl
from flowc.read_yaml.read import read as read_yaml
from flowc.resolve.file import resolve
from flowc.span import Source
from flowc.tree import Tree
from flowc.write_dsl.unwritable import Unwritable
from flowc.write_dsl.write import write_dsl
from flowc.write_yaml.of_dsl import as_yaml
from flowc.write_yaml.write import write_yaml
from flowrt.noun import noun

Syntax = Literal["yaml", "dsl"]

_PASSES = 3
"""A second pass changes nothing, but for rare places of comments; then the form after it is taken."""


@noun
class Rewritten:
    """The text to write."""

    text: str


@noun
class Invalid:
    """The file has errors; these are all findings."""

    diagnostics: tuple[Diagnostic, ...]


@noun
class Refused:
    """The file could not be rewritten without a loss; why, as a sentence."""

    reason: str


Outcome: TypeAlias = Rewritten | Invalid | Refused


@noun
class _Read:
    """A text that was understood."""

    tree: Tree
    file: File
    comments: tuple[Comment, ...]


def syntax_of(name: str) -> Syntax:
    """The syntax of a file by its name: `.flow` is the DSL, all else YAML."""
    return "dsl" if name.endswith(".flow") else "yaml"


def rewritten(source: Source, syntax: Syntax, to: Syntax) -> Outcome:
    """The flow file in canonical form, in the syntax `to`; its line ends stay those of the author."""
    first = _read(source, syntax)
    if isinstance(first, Invalid):
        return first
    if syntax == "yaml" and to == "dsl":
        first = _with_inner_comments(first)
    try:
        text = _write(first, syntax, to)
    except Unwritable as reason:
        return Refused(str(reason))
    for _ in range(_PASSES):
        again = _read(Source(source.name, text), to)
        lost = _loss(first, again, yaml_twice=syntax == to == "yaml")
        if isinstance(again, Invalid) or lost is not None:
            return Refused(lost or "")
        settled = _write(again, to, to)
        if settled == text:
            break
        text = settled
    else:
        return Refused("The form of the file does not settle when it is formatted again.")
    return Rewritten(text.replace("\n", "\r\n") if _has_windows_ends(source.text) else text)


def _read(source: Source, syntax: Syntax) -> _Read | Invalid:
    tree, found = read_yaml(source) if syntax == "yaml" else read_dsl(source)
    file, more = resolve(tree)
    found = [*found, *more]
    if file is None or not file.flows or any(each.severity == "error" for each in found):
        return Invalid(tuple(found))
    comments = comments_of_yaml(tree) if syntax == "yaml" else comments_of_dsl(tree.source)
    return _Read(tree, file, comments)


def _with_inner_comments(read: _Read) -> _Read:
    """With the comments inside of expressions: the DSL has them on lines of their own."""
    inner = comments_in_expressions(read.tree, read.file)
    both = sorted({*read.comments, *inner}, key=lambda each: each.start)
    return _Read(read.tree, read.file, tuple(both))


def _write(read: _Read, syntax: Syntax, to: Syntax) -> str:
    if to == "dsl":
        return write_dsl(read.tree, read.comments)
    tree = read.tree if syntax == "yaml" else as_yaml(read.tree)
    return write_yaml(tree, read.comments, from_yaml=syntax == "yaml")


def _loss(first: _Read, again: _Read | Invalid, *, yaml_twice: bool) -> str | None:
    """What would be lost by writing the text that was read again, as a sentence."""
    if isinstance(again, Invalid):
        what = again.diagnostics[0].message if again.diagnostics else "it is empty"
        return f"What would be written is not valid: {what}."
    place = difference(first.file, again.file)
    if place is None and yaml_twice:
        place = tree_difference(first.tree, again.tree)
    if place is not None:
        return f"What would be written does not mean the same, at `{place}`."
    missing = Counter(each.text for each in first.comments) - Counter(each.text for each in again.comments)
    if missing:
        return f"The comment `{next(iter(missing))}` would be lost."
    return None


def _has_windows_ends(text: str) -> bool:
    end = text.find("\n")
    return end > 0 and text[end - 1] == "\r"
