"""A map that should be a step comes in; its kind goes out, or a message that says what it lacks."""

from typing import Literal

from flowc.diagnostic import Fix
from flowc.ir import Ident
from flowc.resolve.advice import STEP_ADVICE
from flowc.resolve.fields import guess_key, not_supported
from flowc.resolve.found import Found, listing
from flowc.resolve.keys import ENCLOSED, LATER_STEPS, STEPS
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.noun import noun, replace

_HOLDERS = {"if": "then", "for": "do", "while": "do", "until": "do", "wait": "else", "switch": "else"}
_PLAIN = ("id", "doc", "after")


@noun
class Kind:
    """The kind of a step, and its map with the kind key as it should be written."""

    name: str
    mapping: Mapping


def kind_of(found: Found, mapping: Mapping) -> Kind | None:
    """The kind of a step; None when it has none, several, or one that cannot run yet: that is reported."""
    for entry in mapping.entries:
        if entry.key.text in LATER_STEPS:
            not_supported(found, entry.key, LATER_STEPS[entry.key.text])
            return None
    kinds = [entry.key for entry in mapping.entries if entry.key.text in STEPS]
    main = [key for key in kinds if key.text not in ENCLOSED]
    if not main and kinds:
        # The body of a loop whose own key is misspelt looks like a step of its own.
        loop = _mended(found, mapping, [kind for kind in STEPS if set(ENCLOSED) <= set(STEPS[kind].keys)])
        if loop is not None:
            return loop
        if len(kinds) == 1 and (stranger := _stranger(mapping, kinds[0].text)) is not None:
            _report_stranger(found, stranger, kinds[0].text)
            return None
    main = main or kinds
    if len(main) == 1:
        return Kind(main[0].text, mapping)
    if main:
        _report_several(found, main)
        return None
    mended = _mended(found, mapping, list(STEPS))
    if mended is None:
        _report_none(found, mapping)
    return mended


def _stranger(mapping: Mapping, block: str) -> Scalar | None:
    """The key above a block that no step has, when it is no slip of a key of the block's own."""
    own = STEPS[block]
    first = next(entry.key for entry in mapping.entries if entry.key.text not in _PLAIN)
    if first.text in own.keys or first.text in own.later or _is_known(first.text):
        return None
    return None if guess_key(first.text, [*own.keys, *own.later]) else first


def _is_known(word: str) -> bool:
    return any(word in step.keys or word in step.later for step in STEPS.values())


def _report_stranger(found: Found, key: Scalar, block: str) -> None:
    found.error(
        "F0106",
        f"`{key.text}` is not a kind of step",
        key.span,
        help=f"above a `{block}` stands `for: x in xs`, `while:` or `until:`, or nothing; "
        f"the kinds are {listing(STEPS)}",
    )


def _report_several(found: Found, kinds: list[Scalar]) -> None:
    first, second = kinds[:2]
    holder = _HOLDERS.get(first.text)
    inside = f", or put `{second.text}` under the `{holder}:` of this one" if holder else ""
    found.error(
        "F0107",
        f"a step has one kind, and this one has {' and '.join(f'`{key.text}`' for key in kinds)}",
        second.span,
        hint=f"`{first.text}` has made it {STEPS[first.text].title} already",
        help=f"start a step of its own with a dash: `- {second.text}: …`{inside}",
    )


def _mended(found: Found, mapping: Mapping, kinds: list[str]) -> Kind | None:
    """The step with the misspelt key of one of some kinds put right, which is reported; None without one."""
    for index, entry in enumerate(mapping.entries):
        meant = None if entry.key.text in _PLAIN else guess_key(entry.key.text, kinds)
        if meant is None:
            continue
        found.error(
            "F0106",
            f"`{entry.key.text}` is not a kind of step",
            entry.key.span,
            hint=f"did you mean `{meant}`?",
            help=f"the kinds are {listing(STEPS)}, and the bare words `break` and `continue`",
            fixes=(Fix(entry.key.span, meant, f"write `{meant}`"),),
        )
        mended = Entry(replace(entry.key, text=meant, value=meant), entry.value)
        entries = (*mapping.entries[:index], mended, *mapping.entries[index + 1 :])
        return Kind(meant, replace(mapping, entries=entries))
    return None


def _report_none(found: Found, mapping: Mapping) -> None:
    others = [entry for entry in mapping.entries if entry.key.text not in _PLAIN]
    span = (others or mapping.entries)[0].key.span if mapping.entries else mapping.span
    help_ = f"add one of the keys {listing(STEPS)}"
    fixes: tuple[Fix, ...] = ()
    if len(others) == 1 and others[0].key.text in ("break", "continue"):
        word = others[0].key.text
        found.error(
            "F0106",
            f"`{word}` is a bare word, not a key",
            span,
            help=f"write `- {word}`",
            fixes=(Fix(others[0].key.span.to(others[0].value.span), word, f"write `- {word}`", safe=True),)
            if len(mapping.entries) == 1
            else (),
        )
        return
    advice = next((STEP_ADVICE[each.key.text] for each in others if each.key.text in STEP_ADVICE), None)
    if advice is not None:
        help_ = advice
    elif named_by_key(mapping) is not None:
        entry = others[0]
        text = found.text(entry.value.span)
        indent = " " * (found.source.position(entry.key.span.start)[1] - 1)
        help_ = f"a list names a step by `id`: write `id: {entry.key.text}` and, below it, `call: {text}`"
        whole = entry.key.span.to(entry.value.span)
        if not mapping.flow:
            better = f"id: {entry.key.text}\n{indent}call: {text}"
            fixes = (Fix(whole, better, "write `id` and `call`", safe=True),)
    found.error("F0106", "this step has no key that says what it does", span, help=help_, fixes=fixes)


def _is_call(node: Node) -> bool:
    return isinstance(node, Scalar) and "(" in node.text and node.text.rstrip().endswith(")")


def named_by_key(mapping: Mapping) -> Ident | None:
    """The name of a step that is written as in a graph, `- rows: t.load()`."""
    match mapping.entries:
        case (Entry(key=key, value=value),) if (
            _is_call(value) and key.text.isidentifier() and key.text not in _PLAIN
        ):
            return Ident(key.text, key.span)
        case _:
            return None


def bare_word(node: Node) -> Literal["break", "continue"] | None:
    """`break` or `continue` as an item of a list, also with the colon that it should not have."""
    match node:
        case Scalar(text="break") | Mapping(entries=(Entry(key=Scalar(text="break")),)):
            return "break"
        case Scalar(text="continue") | Mapping(entries=(Entry(key=Scalar(text="continue")),)):
            return "continue"
        case _:
            return None


def report_bare(found: Found, node: Scalar, span: Span) -> Ident | None:
    """Reports an item of a list of steps that is text, and returns the name that it assigns."""
    text = node.text.strip()
    if not text:
        found.error(
            "F0106", "this step is empty", span, help="write the step after its dash, or remove the dash"
        )
        return None
    name, equals, value = text.partition(" = ")
    if equals and name.isidentifier():
        kind = "call" if _is_call(node) else "value"
        found.error(
            "F0106",
            "a step is a map, and this is text",
            span,
            help=f"write `- id: {name}` and, below it, `{kind}: {value.strip()}`",
        )
        return Ident(name, Span(node.at(0), node.at(len(name))))
    if text == "return":
        found.error(
            "F0106",
            "a step is a map, and this is text",
            span,
            help="write `- return: value`, or `- return: None`",
            fixes=(Fix(node.span, "return: None", "write `return: None`", safe=True),),
        )
        return None
    kind = "call" if _is_call(node) else ""
    fixes = (
        (Fix(Span(node.span.start, node.span.start), "call: ", "write `call: `", safe=True),) if kind else ()
    )
    found.error(
        "F0106",
        "a step is a map, and this is text",
        span,
        help=f"write `- call: {text}`"
        if kind
        else "begin it with the key of its kind, such as `- call:` or `- value:`; "
        "only `break` and `continue` are written alone",
        fixes=fixes,
    )
    return None
