"""A checked file and the name of a flow come in; the text of a Python program goes out.

The program has what the flow and the flows that it calls need: imports, a few functions of support, an
`async` function for each flow, and a `main` that takes the inputs as JSON. Names, order and structure are the
author's.
"""

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import cast

from flowc.expr.types import show
from flowc.ir import File, Flow, FlowCallee, Ident
from flowc.resolve.pure import BUILTINS
from flowc.write_python.calls import write_prelude
from flowc.write_python.page import Page
from flowc.write_python.steps import write_block
from flowc.write_python.support import parts
from flowrt.expr.tree import Expr
from flowrt.type_ref import TypeRef

_IMPORTS = {
    "asyncio": "import asyncio",
    "itertools": "import itertools",
    "random": "import random",
    "uuid": "import uuid",
    "from_json": "import json",
    "to_json": "import json",
    "secret": "import os",
    "UTC": "from datetime import UTC",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
}
_RUN = """\
run = {{
    "id": str(uuid.uuid4()),
    "flow": {flow},
    "started_at": datetime.now(UTC),
    "labels": {labels},
}}
"""
_PLAIN_TYPES = frozenset(
    {"None", "bool", "int", "float", "str", "bytes", "date", "datetime", "list", "dict", "set"}
)


def write_python(file: File, main: str) -> str:
    """The program of a flow."""
    flows = _called(file, main)
    taken = {name for flow in flows for name in _names(flow)} | set(file.aliases) | {"main", "run"}
    own = frozenset({*_own_names(), *file.aliases})
    taken |= own | set(dir(builtins)) | set(keyword.kwlist)
    reserved = own | {flow.name.text for flow in flows if len(flows) > 1} | BUILTINS
    page = Page({}, taken, frozenset(reserved))
    page.modules.update((module, _alias(page, alias, module)) for alias, module in file.aliases.items())
    page.functions = own
    for flow in flows:
        page.temporaries.clear()
        _write_flow(page, flow)
    body = page.lines
    head = _head(page, file, flows[0])
    text = "\n".join([*head, "", "", *body, "", *_main(page, flows[0])]) + "\n"
    return _tidy(_quoted(text))


def _imported() -> frozenset[str]:
    """The imports that a program may have for itself."""
    own = {"import json", "import ray", "import sys", *_IMPORTS.values()}
    return frozenset(own.union(*(part.imports for part in parts().values())))


def _own_names() -> frozenset[str]:
    """The names that a program may use for itself: of its imports and of its support."""
    defined = {
        name
        for part in parts().values()
        for name in re.findall(r"^(?:async def|def|class) (\w+)|^(\w+) =", part.source, re.MULTILINE)
        for name in name
    }
    words = {word for text in _imported() for word in re.findall(r"\w+", text)}
    return frozenset({*words, *defined, "json", "ray", "sys", "main", "run"} - {""})


def _alias(page: Page, alias: str, module: str) -> str:
    """The name of a module: its alias, if nothing of the program's own has that name."""
    if alias not in _own_names() or (alias == module and f"import {module}" in _imported()):
        return alias
    return page.fresh(f"{alias}_module")


def _called(file: File, main: str) -> list[Flow]:
    """The flow and those that it calls, in the order in which they are found."""
    known = {flow.name.text: flow for flow in file.flows}
    names = [main]
    for name in names:
        names += [called for called in _callees(known[name]) if called not in names]
    return [known[name] for name in dict.fromkeys(names)]


def _callees(part: object) -> Iterator[str]:
    if isinstance(part, FlowCallee):
        yield part.name
    for inner in _inside(part):
        yield from _callees(inner)


def _names(part: object) -> Iterator[str]:
    if isinstance(part, Ident):
        yield part.text
    for inner in _inside(part):
        yield from _names(inner)


def _inside(part: object) -> Iterator[object]:
    """The parts of a part of the IR."""
    if isinstance(part, tuple):
        yield from cast("tuple[object, ...]", part)
    elif is_dataclass(part) and not isinstance(part, type | Expr):
        yield from (getattr(part, one.name) for one in fields(part))


def _write_flow(page: Page, flow: Flow) -> None:
    page.direct.clear()
    inputs = ", ".join(_input(page, flow))
    page.line()
    with page.block(f"async def {page.flow(flow.name.text)}({inputs}):"):
        if flow.doc.strip():
            page.line(f'"""{" ".join(flow.doc.split())}"""'.replace("\\", "\\\\"))
        if flow.timeout is not None:
            page.use("asyncio")
            with page.block(f"async with asyncio.timeout({page.seconds(flow.timeout)}):"):
                _write_body(page, flow)
        else:
            _write_body(page, flow)
    page.line()


def _write_body(page: Page, flow: Flow) -> None:
    write_block(page, flow.body)
    if flow.result is not None:
        write_prelude(page, flow.result_prelude)
        page.line(f"return {page.expr(flow.result)}")


def _input(page: Page, flow: Flow) -> Iterator[str]:
    """The parameters; one without a default that comes after one with it is given by name."""
    keyword_only = False
    seen_default = False
    for one in flow.inputs:
        kind = _annotation(page, one.type)
        name = page.named(one.name.text)
        text = f"{name}: {kind}" if kind else name
        if one.default is None:
            if seen_default and not keyword_only:
                keyword_only = True
                yield "*"
            yield text
            continue
        seen_default = True
        yield f"{text} = {page.expr(one.default)}" if kind else f"{text}={page.expr(one.default)}"


def _annotation(page: Page, ref: TypeRef) -> str:
    """The type in Python, when it is made of Python's own."""
    todo = [ref]
    while todo:
        one = todo.pop()
        todo += one.args
        if one.name not in _PLAIN_TYPES and one.name != "|":
            return ""
        if one.name in ("date", "datetime"):
            page.use(one.name)
    return show(ref)


def _head(page: Page, file: File, main: Flow) -> list[str]:
    """The docstring, the imports, and the pieces of support that are used."""
    known = parts()
    needed: set[str] = set()
    todo = [name for name in page.used if name in known]
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += known[name].needs
    imports = {"import asyncio", "import json", "import ray", "import sys"} | page.imports
    imports |= {_IMPORTS[name] for name in page.used if name in _IMPORTS}
    imports |= {each for name in needed for each in known[name].imports}
    lines = [
        f'"""The flow `{main.name.text}` of {file.source.name.rpartition("/")[2]} as a plain program on Ray.',
        "",
        "It does what the flow does, and it is not durable: when it is killed, all is lost, and",
        "its pauses and waits hold this process. What needs a store (locks, caches, heartbeats) is",
        "left out, with a comment. `flowc run` is the durable way to run the flow.",
        '"""',
        "",
    ]
    if "run" in page.used:
        imports |= {"import uuid", "from datetime import UTC, datetime"}
    lines += _sorted_imports(imports)
    if "run" in page.used:
        labels = "{" + ", ".join(f"{name!r}: {text!r}" for name, text in main.labels) + "}"
        lines += ["", *_RUN.format(flow=repr(main.name.text), labels=labels).splitlines()]
    for name, part in known.items():
        if name in needed:
            lines += ["", "", *part.source.rstrip("\n").splitlines()]
    return lines


def _sorted_imports(imports: set[str]) -> list[str]:
    """Imports as they are usually grouped: Python's own, Ray, the author's; names of one module together."""
    from sys import stdlib_module_names  # noqa: PLC0415 - of use here alone

    froms: dict[str, set[str]] = {}
    plain: list[str] = []
    for text in imports:
        if text.startswith("from "):
            module, _, names = text.removeprefix("from ").partition(" import ")
            froms.setdefault(module, set()).update(name.strip() for name in names.split(","))
        else:
            plain.append(text)
    lines = [*sorted(plain), *(f"from {m} import {', '.join(sorted(n))}" for m, n in sorted(froms.items()))]
    groups: list[list[str]] = [[], [], []]
    for line in lines:
        root = line.split()[1].partition(".")[0]
        groups[0 if root in stdlib_module_names else 1 if root == "ray" else 2].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group).split("\n")


def _main(page: Page, flow: Flow) -> list[str]:
    converted: list[str] = []
    for one in flow.inputs:
        name, here = one.name.text, page.named(one.name.text)
        read = f'inputs.pop("{name}")'
        if one.type.name in ("date", "datetime"):
            read = f"{one.type.name}.fromisoformat({read})"
        elif name == here:
            continue
        converted += [f'    if "{name}" in inputs:', f'        inputs["{here}"] = {read}']
    return [
        "",
        "def main():",
        '    """Runs the flow with the inputs that are given as JSON, and prints its result as JSON."""',
        '    inputs = json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")',
        *converted,
        "    ray.init(log_to_driver=False)",
        f"    result = asyncio.run({page.flow(flow.name.text)}(**inputs))",
        "    print(json.dumps(result, default=repr, indent=2))",
        "",
        "",
        'if __name__ == "__main__":',
        "    main()",
    ]


def _quoted(text: str) -> str:
    """The same program with texts in double quotes where that takes no escapes."""
    lines = text.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        if (
            token.type != tokenize.STRING
            or not token.string.startswith("'")
            or token.start[0] != token.end[0]
        ):
            continue
        inner = token.string[1:-1]
        if '"' in inner or token.string.startswith("'''"):
            continue
        row, begin, end = token.start[0] - 1, token.start[1], token.end[1]
        lines[row] = f'{lines[row][:begin]}"{inner.replace(chr(92) + chr(39), chr(39))}"{lines[row][end:]}'
    return "".join(lines)


def _last(lines: list[str]) -> str:
    """The last line that is not blank."""
    return next((line for line in reversed(lines) if line), "")


def _tidy(text: str) -> str:
    """The same program with blank lines where formatters want them."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line or not lines:
            top = (
                line
                and not line[0].isspace()
                and line.startswith(("def ", "async def ", "class ", "@", "if __"))
            )
            top = top or (line[:1].isidentifier() and bool(lines) and _last(lines)[:1].isspace())
            if top and not lines[-1].startswith("@"):
                while lines and not lines[-1]:
                    lines.pop()
                lines += ["", ""]
            lines.append(line)
        elif lines[-1] and not lines[-1].lstrip().startswith(("def ", "async def ", "class ")):
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"
