"""`actors` of the first document comes in; the import paths of the classes of its actors go out.

An actor is an object with a durable state, one for each class and key: `account(user).deposit(5)` calls the
method `deposit` of the `account` of that user. What the objects are is said by their class: two files that
name the same class mean the same objects, whatever they call them.
"""

from collections.abc import Mapping as Table

from flowc.diagnostic import Fix
from flowc.resolve.callees import IMPORT_PATH, RECORDED
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.names import RESERVED, read_name
from flowc.resolve.pure import BUILTINS
from flowc.resolve.setting import Names
from flowc.suggest import closest
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.noun import replace


def with_actors(found: Found, node: Node, names: Names) -> Names:
    """The names of a file, with those of its declared actors."""
    if isinstance(node, Scalar) and node.value is None:
        return names
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`actors` takes a map of names to classes, not {shape(node)}",
            excerpt(node),
            help="write `actors: {account: bank.Account}`",
        )
        return replace(names, all_lost=True)
    actors: dict[str, str] = {}
    lost: set[str] = set()
    taken = _taken(names)
    for entry in node.entries:
        name = read_name(found, entry.key, "an actor", taken)
        path = _class(found, entry, names)
        if name is None or path is None or name.text in taken:
            lost.add(entry.key.text)
        else:
            actors[name.text] = path
    return replace(names, actors=actors, lost=names.lost | lost)


def _taken(names: Names) -> Table[str, str]:
    taken = {word: f"`{word}()` is a function of every expression" for word in BUILTINS | RECORDED}
    taken |= {alias: f"it is the alias of `{module}`" for alias, module in names.every_alias.items()}
    return taken | dict.fromkeys(names.flows, "it is the name of a flow of this file") | RESERVED


def _class(found: Found, entry: Entry, names: Names) -> str | None:
    node, name = entry.value, entry.key.text
    text = node.text.strip() if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    root, _, rest = text.partition(".")
    if IMPORT_PATH.match(text):
        return text
    if IMPORT_PATH.match(f"{root}:{rest}"):
        if root in names.aliases:
            return f"{names.aliases[root]}:{rest}"
        if not names.is_lost(root):
            _report_alias(found, node, root, rest, names)
        return None
    found.error(
        "F0103",
        f"the actor `{name}` takes the name of a class, not {f'`{text}`' if text else shape(node)}",
        excerpt(node) if node.span.end > node.span.start else entry.key.span,
        help="write a class of an alias such as `bank.Account`, or an import path such as `shop.bank:Bank`",
    )
    return None


def _report_alias(found: Found, node: Node, root: str, rest: str, names: Names) -> None:
    span = node.span
    if root in names.files:
        found.error(
            "F0113",
            f"`{root}` is a flow file, and holds no classes",
            span,
            help="name a class of a Python module, such as `shop.bank:Account`",
        )
        return
    meant = closest(root, names.aliases)
    defined = f"the aliases of this file are {listing(names.aliases)}; " if names.aliases else ""
    better = f"{meant}.{rest}"
    module, _, cls = rest.rpartition(".")
    path = f"{root}.{module}:{cls}" if module else f"{root}:{cls}"
    found.error(
        "F0113",
        f"`{root}` is not an alias of `use:`",
        span,
        hint=f"did you mean `{better}`?" if meant else "",
        help=f"{defined}add `{root}: package.module` to `use:`, or name it by its import path: `{path}`",
        fixes=(Fix(span, better, f"write `{better}`"),) if meant else (),
    )
