"""`use` of the first document comes in; its aliases of Python modules and of flow files go out.

A flow file is named by its path, relative to the file that uses it, with `./` or `../` before it: without,
`a.flow` is a module. An absolute path would name another file on another machine, so it is refused.
"""

from flowc.diagnostic import Fix
from flowc.ir import Ident
from flowc.resolve.callees import MODULE
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.names import RESERVED, read_name
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.noun import field, noun

_HERE = ("./", "../")
_FLOW_FILES = (".flow.yaml", ".flow.yml", ".yaml", ".yml", ".flow", ".json")


@noun(frozen=False)
class Uses:
    """The aliases of a file, of modules and of flow files.

    `lost` are those that could not be understood, `all_lost` when none could.
    """

    aliases: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, Ident] = field(default_factory=dict[str, Ident])
    lost: set[str] = field(default_factory=set[str])
    all_lost: bool = False


def read_use(found: Found, node: Node) -> Uses:
    """The aliases under `use`."""
    uses = Uses()
    if isinstance(node, Scalar) and node.value is None:
        return uses
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`use` takes a map of aliases to modules, not {shape(node)}",
            excerpt(node),
            help="write `use: {t: package.module}`",
        )
        uses.all_lost = True
        return uses
    for entry in node.entries:
        alias = read_name(found, entry.key, "an alias", RESERVED)
        text = entry.value.text.strip() if isinstance(entry.value, Scalar) else ""
        if alias is not None and text.startswith(_HERE) and _is_file(found, entry, text):
            uses.files[alias.text] = Ident(text, entry.value.span)
        elif alias is not None and not text.startswith(_HERE) and _is_module(found, entry, text):
            uses.aliases[alias.text] = text
        else:
            uses.lost.add(entry.key.text)
    return uses


def _is_file(found: Found, entry: Entry, text: str) -> bool:
    """Whether a path can be that of a flow file, which is reported if not."""
    if not text.endswith(".py"):
        return True
    module = text.removesuffix(".py").lstrip("./").replace("/", ".")
    found.error(
        "F0103",
        f"`{text}` is a Python file, and modules are used by their names",
        entry.value.span,
        help=f"write `{module}`, as in `import`",
    )
    return False


def _is_module(found: Found, entry: Entry, text: str) -> bool:
    """Whether a text names a Python module, which is reported if not."""
    node = entry.value
    is_file = text.endswith(_FLOW_FILES[:-2]) or ("/" in text and text.endswith(_FLOW_FILES))
    if is_file and isinstance(node, Scalar):
        _report_path(found, entry, text)
        return False
    if isinstance(node, Scalar) and isinstance(node.value, str) and MODULE.match(text):
        return True
    written = f"`{text}`" if text else shape(node)
    better = text.removesuffix(".py").replace("/", ".").replace(":", ".")
    found.error(
        "F0103",
        f"the alias `{entry.key.text}` takes the name of a Python module, not {written}",
        excerpt(node) if node.span.end > node.span.start else entry.key.span,
        help=f"write `{better}`"
        if text and MODULE.match(better)
        else "write it as in `import`: `package.module`; or the path of a flow file, `./other.flow.yaml`",
    )
    return False


def _report_path(found: Found, entry: Entry, text: str) -> None:
    span = entry.value.span
    if text.startswith(("/", "~")) or "://" in text:
        where = "an address, and files are used from here" if "://" in text else "a place of this machine"
        found.error(
            "F0103",
            f"`{text}` names a flow file by {where}",
            span,
            help="write its path relative to this file, such as `./other.flow` or `../lib/other.flow`",
        )
        return
    found.error(
        "F0103",
        f"the path of a flow file begins with `./` or `../`, and `{text}` does not",
        span,
        help=f"write `./{text}`",
        fixes=(Fix(span, f"./{text}", f"write `./{text}`", safe=True),),
    )
