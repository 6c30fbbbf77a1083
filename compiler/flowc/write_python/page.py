"""Lines of Python come in one by one; they are kept with their indentation, and what they use is noted."""

from collections.abc import Generator
from contextlib import contextmanager

from flowc.ir import Callee, FlowCallee
from flowc.write_python.python_expr import PythonExpr
from flowrt.expr.tree import Const, Expr, Name
from flowrt.noun import field, noun

WIDEST = 88
_INDENT = "    "
_SKIP = "  # fmt: skip"


@noun(frozen=False)
class Page:
    """A program while it is written.

    `modules` maps the modules of the file's aliases to their alias; `taken` are all names of the file,
    `reserved` and `functions` those that steps and flows may not have here. `sagas` are the names of the
    sagas around the present place, `races` how many races a `return` has to leave, `loops` how many loops
    there are around it in its own function, `leaves` what leaves the race around it.
    """

    modules: dict[str, str]
    taken: set[str]
    reserved: frozenset[str]
    functions: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list[str])
    depth: int = 0
    used: set[str] = field(default_factory=set[str])
    imports: set[str] = field(default_factory=set[str])
    sagas: list[str] = field(default_factory=list[str])
    races: int = 0
    loops: int = 0
    leaves: set[str] = field(default_factory=set[str])
    direct: set[str] = field(default_factory=set[str])
    temporaries: dict[str, str] = field(default_factory=dict[str, str])

    def line(self, text: str = "") -> None:
        """Add a line; one that is too long and has no place to be broken at is marked for formatters."""
        whole = _INDENT * self.depth + text if text else ""
        marked = len(whole) > WIDEST and not text.startswith("#")
        self.lines.append(whole + _SKIP if marked else whole)

    @contextmanager
    def block(self, head: str) -> Generator[None]:
        """Add a line that ends with a colon, and what is added meanwhile below it."""
        self.line(head)
        at = len(self.lines)
        self.depth += 1
        yield
        if len(self.lines) == at:
            self.line("pass")
        self.depth -= 1

    def use(self, name: str) -> None:
        """Note that the program needs a piece of support, or an import."""
        self.used.add(name)

    def fresh(self, stem: str) -> str:
        """A name that nothing in the file has."""
        name, number = stem, 1
        while name in self.taken:
            number += 1
            name = f"{stem}_{number}"
        self.taken.add(name)
        return name

    def named(self, name: str) -> str:
        """What a name of the flow is called here: itself, if nothing of the program's own has that name.

        Names of lifted calls, which no author can write, get one that is free.
        """
        if not name.startswith("$"):
            return f"{name}_" if name in self.reserved else name
        if name not in self.temporaries:
            self.temporaries[name] = self.fresh("value")
        return self.temporaries[name]

    def flow(self, name: str) -> str:
        """The name of the function of a flow."""
        return f"{name}_flow" if name in self.functions else name

    def expr(self, expr: Expr) -> str:
        """The text of an expression."""
        return PythonExpr(self.use, self.named, self.direct).text(expr)

    def seconds(self, duration: Expr) -> str:
        """A duration in seconds."""
        text = self.expr(duration)
        return f"{text if isinstance(duration, Const | Name) else f'({text})'}.total_seconds()"

    def callee(self, callee: Callee) -> str:
        """How the program names a callable."""
        if isinstance(callee, FlowCallee):
            return self.flow(callee.name)
        module, _, name = callee.path.partition(":")
        if module == "builtins":
            return name
        if module == "flowrt" and name in FAILURES:
            self.use(FAILURES[name])
            return FAILURES[name]
        if module in self.modules:
            alias = self.modules[module]
            self.imports.add(f"import {module}" if alias == module else f"import {module} as {alias}")
            return f"{alias}.{name}"
        self.imports.add(f"import {module}")
        return f"{module}.{name}"

    def statement(self, head: str, function: "Function", args: list[str]) -> None:
        """Add `head function(args)`, broken into several lines as formatters do when it is too long."""
        at = len(self.lines)
        self._broken(head, function, args)
        if any(line.endswith(_SKIP) for line in self.lines[at:]):
            self.lines[at:] = [line.removesuffix(_SKIP) for line in self.lines[at:]]
            self.lines[-1] += _SKIP

    def _broken(self, head: str, function: "Function", args: list[str]) -> None:
        name, made = function.name, function.made_of
        whole = f"{head}{function.text}({', '.join(args)})"
        if self._fits(whole):
            self.line(whole)
            return
        before = f"{head}{function.text}("
        if args and self._fits(before):
            self.line(before)
            self._listed(args)
            self.line(")")
            return
        if not made:
            self.line(whole)
            return
        self.line(f"{head}{name}(")
        self._listed(list(made))
        last = f")({', '.join(args)})"
        if not self._fits(last):
            self.line(")(")
            self._listed(args)
            last = ")"
        self.line(last)

    def _fits(self, text: str) -> bool:
        return len(text) + len(_INDENT) * self.depth <= WIDEST

    def _listed(self, args: list[str]) -> None:
        inner = _INDENT + ", ".join(args)
        if self._fits(inner):
            self.line(inner)
            return
        for arg in args:
            self.line(f"{_INDENT}{arg},")


@noun
class Function:
    """What is called: a name, or with `made_of` the call of that name with those arguments."""

    name: str
    made_of: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its text in one line."""
        return f"{self.name}({', '.join(self.made_of)})" if self.made_of else self.name


FAILURES = {
    **{name: name for name in ("FlowFailed", "NeedNotMet", "LoopLimit", "WaitTimedOut")},
    "BlockTimedOut": "TimeoutError",
    "RecursionLimit": "RecursionError",
}
"""Failures of the language, and the classes that a program has in their place."""

SAMPLES = {
    "flowc:now": ("datetime.now(UTC)", ("datetime", "UTC")),
    "flowc:today": ("datetime.now(UTC).date()", ("datetime", "UTC")),
    "flowc:uuid": ("str(uuid.uuid4())", ("uuid",)),
    "flowc:random": ("random.random()", ("random",)),
}
"""What is written for the values that are taken once, and what has to be imported for it."""
