"""A seed in; the text of an expression out, made to be evaluated by CPython and by flowrt alike.

Most expressions are of the wanted kind (a number, a text, a list, …); one in thirty parts is of another, so
that errors are compared too. Sets are read only in ways that do not show their order, and powers have small
exponents, so that CPython itself can evaluate everything.
"""

import random

NUMBERS = [
    "0",
    "1",
    "2",
    "7",
    "-3",
    "10",
    "255",
    "0.5",
    "2.75",
    "-1.25",
    "1e3",
    "n",
    "m",
    "x",
    "True",
    "False",
]
TEXTS = ["''", "'a'", "'Hello, World'", "'1,2,3'", "'  x '", "s", "t", "'äöß'", "r'\\d'", "'%d%%'", "'a' 'b'"]
KINDS = ("number", "text", "list", "dict", "set", "bool", "tuple")


class Generator:
    """Expressions from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.targets = []

    def expression(self):
        return self.of(self.random.choice(KINDS), self.random.choice([1, 2, 2, 3, 3, 4]))

    def of(self, kind, depth):
        if self.random.random() < 0.03:
            # Not a set: where it is gone through, Python's order shows.
            return f"({self.of(self.random.choice([k for k in KINDS if k != 'set']), depth - 1)})"
        if depth <= 0:
            return self.leaf(kind)
        return self.pick(getattr(self, kind)(depth - 1))

    def pick(self, options):
        return self.random.choice(options)()

    def leaf(self, kind):
        if self.targets and self.random.random() < 0.4:
            return self.random.choice(self.targets)
        leaves = {
            "number": NUMBERS,
            "text": TEXTS,
            "list": ["xs + ys", "xs", "ys", "[1, 2, 3]", "['b', 'a']"],
            "dict": ["{}", "d", "{'a': 1, 'b': 2}"],
            "set": ["{1, 2, 3}", "set()", "{'a', 'b'}"],
            "bool": ["True", "False", "n > 3", "s == 'a'"],
            "tuple": ["()", "(1,)", "(1, 'a')", "pair"],
        }
        return self.random.choice(leaves[kind])

    def number(self, depth):
        n, r = (lambda: self.of("number", depth)), self.random
        return [
            lambda: f"({n()} {r.choice(['+', '-', '*', '/', '//', '%'])} {n()})",
            lambda: f"{self.leaf('number')} ** {r.choice(['2', '3', '0.5', '-1', '0'])}",
            lambda: f"-{n()}",
            lambda: f"len({self.of(r.choice(KINDS), depth)})",
            lambda: f"{r.choice(['min', 'max', 'sum'])}({self.of('list', depth)})",
            lambda: f"max({n()}, {n()})",
            lambda: f"abs({n()})",
            lambda: f"round({n()}, {r.choice(['0', '1', '-1', '2'])})",
            lambda: f"int({self.of('number', depth)})",
            lambda: f"int({r.choice([repr('12'), repr(' -7 '), repr('1_0'), self.of('text', depth)])})",
            lambda: f"float({r.choice([repr('1.5'), repr('nan'), repr('1e3'), self.of('number', depth)])})",
            lambda: f"{self.of('list', depth)}[{r.choice(['0', '-1', '1', n()])}]",
            lambda: f"{self.of('dict', depth)}[{r.choice([repr('a'), self.of('text', depth)])}]",
            lambda: f"({n()} if {self.of('bool', depth)} else {n()})",
            lambda: (
                f"{self.of('text', depth)}.{r.choice(['count', 'find', 'index'])}({self.of('text', depth)})"
            ),
            lambda: f"sum({self.comprehension('(', ')', 'number', depth)})",
            lambda: f"{self.of('dict', depth)}.get({self.of('text', depth)}, {n()})",
        ]

    def text(self, depth):
        t, n, r = (lambda: self.of("text", depth)), (lambda: self.of("number", depth)), self.random
        plain = r.choice(["upper", "lower", "strip", "title", "capitalize", "swapcase", "casefold", "lstrip"])
        return [
            lambda: f"({t()} + {t()})",
            lambda: f"({t()} * {r.choice(['2', '0', '-1', 'n', '3'])})",
            lambda: f"{t()}.{plain}()",
            lambda: f"{t()}.replace({t()}, {t()})",
            lambda: f"{t()}.{r.choice(['ljust', 'rjust', 'center', 'zfill'])}({r.choice(['3', '9', 'n'])})",
            lambda: f"{t()}.join({r.choice(['ys', f'{t()}.split()', self.of('list', depth)])})",
            lambda: f"str({self.of(r.choice(['number', 'text', 'list', 'dict', 'tuple', 'bool']), depth)})",
            lambda: f"{t()}[{r.choice(['0', '-1', n()])}]",
            lambda: f"{t()}[{self.slice(depth)}]",
            lambda: self.fstring(depth),
            lambda: f"{t()}.removeprefix({t()})",
            lambda: f"('{r.choice(['%s', '%r', '%d', '%5.2f', '%x', '%%', '%-8s|'])}' % ({n()},))",
            lambda: (
                f"'{{}}-{{0!r}}'.format({t()})"
                if r.random() < 0.1
                else f"'{{:>5}}|{{}}'.format({t()}, {n()})"
            ),
        ]

    def list(self, depth):
        one, r = (lambda: self.of("list", depth)), self.random
        item = lambda: self.of(r.choice(["number", "text"]), depth)  # noqa: E731
        return [
            lambda: f"[{', '.join(item() for _ in range(r.randrange(4)))}]",
            lambda: f"({one()} + {one()})",
            lambda: f"({one()} * {r.choice(['0', '2', '-1'])})",
            lambda: f"sorted({one()}{r.choice(['', ', reverse=True'])})",
            lambda: f"sorted({self.of('set', depth)})",
            lambda: f"list({r.choice(['reversed', 'enumerate', ''])}({one()}))",
            lambda: f"list(zip({one()}, {self.of('text', depth)}{r.choice(['', ', strict=True'])}))",
            lambda: f"list(range({self.of('number', 0)}, {self.of('number', 0)}))",
            lambda: f"{one()}[{self.slice(depth)}]",
            lambda: f"{self.of('text', depth)}.split({r.choice(['', self.leaf('text')])})",
            lambda: f"{self.of('text', depth)}.rsplit({self.leaf('text')}, 1)",
            lambda: self.comprehension("[", "]", r.choice(["number", "text", "tuple"]), depth),
            lambda: self.comprehension("(", ")", "number", depth),
            lambda: f"{self.of('dict', depth)}.{r.choice(['keys', 'values', 'items'])}()",
            lambda: f"({one()} or {one()})",
        ]

    def dict(self, depth):
        t, n = (lambda: self.of("text", depth)), (lambda: self.of("number", depth))
        return [
            lambda: f"{{{t()}: {n()}, {t()}: {self.of('list', depth)}}}",
            lambda: f"dict({self.of('dict', depth)}, k={n()})",
            lambda: f"dict(zip({self.of('text', depth)}, {self.of('list', depth)}))",
            lambda: self.comprehension("{k: ", "}", "number", depth, target="k"),
            lambda: f"{self.of('dict', depth)}.copy()",
        ]

    def set(self, depth):
        return [
            lambda: f"{{{self.of('number', depth)}, {self.of('number', depth)}}}",
            lambda: f"set({self.of(self.random.choice(['list', 'text']), depth)})",
            lambda: f"({self.of('set', depth)} - {self.of('set', depth)})",
            lambda: f"{self.of('set', depth)}.union({self.of('list', depth)})",
            lambda: self.comprehension("{", "}", "number", depth),
        ]

    def bool(self, depth):
        b, r = (lambda: self.of("bool", depth)), self.random
        any_ = lambda: self.of(r.choice(KINDS), depth)  # noqa: E731
        return [
            lambda: f"({self.of('number', depth)} {r.choice(['<', '<=', '>', '>=', '==', '!='])} {any_()})",
            lambda: (
                f"({self.of('number', depth)} < {self.of('number', depth)} <= {self.of('number', depth)})"
            ),
            lambda: f"({any_()} {r.choice(['in', 'not in'])} {any_()})",
            lambda: f"(not {any_()})",
            lambda: f"({any_()} {r.choice(['and', 'or'])} {any_()})",
            lambda: f"({any_()} is {r.choice(['', 'not '])}None)",
            lambda: f"bool({any_()})",
            lambda: f"{r.choice(['any', 'all'])}({self.of('list', depth)})",
            lambda: f"{self.of('text', depth)}.{r.choice(['isdigit', 'isalpha', 'islower', 'isspace'])}()",
            lambda: (
                f"{self.of('text', depth)}.{r.choice(['startswith', 'endswith'])}({self.of('text', depth)})"
            ),
            lambda: f"({b()} and {b()} or {b()})",
        ]

    def tuple(self, depth):
        return [
            lambda: f"({self.of('number', depth)}, {self.of('text', depth)})",
            lambda: f"tuple({self.of('list', depth)})",
            lambda: f"divmod({self.of('number', depth)}, {self.of('number', depth)})",
            lambda: f"({self.of('tuple', depth)} + {self.of('tuple', depth)})",
        ]

    def slice(self, depth):
        part = lambda: self.random.choice(["", "1", "-1", "n", self.of("number", depth)])  # noqa: E731
        return f"{part()}:{part()}" + self.random.choice(["", ":", ":2", ":-1", f":{part()}"])

    def fstring(self, depth):
        fields = []
        for _ in range(self.random.randrange(1, 3)):
            value = self.of(self.random.choice(["number", "text", "list"]), depth)
            if "'" in value or "\\" in value or "#" in value or '"' in value:
                value = self.random.choice(["n", "s", "xs", "d"])
            tail = self.random.choice(["", "!r", "!s", "!a", ":>6", ":.2f", ":{m}", "!r:^9", ":<{m}", ":x"])
            fields.append("{" + value + tail + "}")
        # A bracket would be read as a doubled one.
        return (
            "f'"
            + self.random.choice(["", "a", "{{", "\\n", "é"])
            + " ".join(fields).replace("{{", "{ {")
            + "'"
        )

    def comprehension(self, opener, closer, kind, depth, target=None):
        name = target or self.random.choice(["i", "j", "n"])
        source = self.of(self.random.choice(["list", "text", "dict"]), depth)
        targets = name
        if self.random.random() < 0.2 and target is None:
            targets, source = f"{name}, q", f"enumerate({source})"
        self.targets.append(name)
        element = self.of(kind, depth)
        tail = f" if {self.of('bool', 1)}" if self.random.random() < 0.3 else ""
        if self.random.random() < 0.15:
            tail += f" for y in {self.of('list', 0)}"
        self.targets.pop()
        return f"{opener}{element} for {targets} in {source}{tail}{closer}"
