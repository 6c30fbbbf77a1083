"""Random flow texts: a seed comes in, a flow file in YAML goes out; together they use every construct.

The flows need not end or make sense; they are for what reads and writes texts. A construct is used as soon
as the reader's table of keys has it. Comments and blank lines stand wherever YAML allows them on a line of
their own or behind one.
"""

# The makers of steps are called alike, whatever they need.
# ruff: noqa: ARG002

import random

import yaml

from flowc.resolve.keys import FLOW, STEPS

WORDS = [
    "a b",
    "it's",
    'say "hi"',
    "x: y",
    "a # b",
    "true",
    "12",
    "",
    "-",
    "[x]",
    "ä",
    "{b}",
    "a\\b",
    "1h",
    "tab\there",
]
DURATIONS = ["250ms", "30s", "5m", "1h30m", "2d", "PT5M", "${{ duration('1h') * n }}"]
CLASSES = ["OSError", "t.Busy", "ValueError", "shop.more:Other"]
DECLARED = {
    "done": {},
    "ready": {"type": "int", "key": "str"},
    "seen": {"type": "dict[str, any]", "external": True},
}
TYPES = ["int", "str", "any", "list[int]", "dict[str, any]", "date | None", "t.Order", "tuple[int, ...]"]


def staying(part: object) -> object:
    """The same without `return`, which may not leave everything."""
    if isinstance(part, list):
        return [staying(each) for each in part]
    if isinstance(part, dict):
        return {"value" if key == "return" else key: staying(value) for key, value in part.items()}
    return part


class Texts:
    """Writes one flow file."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.made = 0
        self.left = 0
        self.sagas = 0
        self.flows = ["main", *(f"other{n}" for n in range(self.rng.randint(0, 2)))]

    def text(self) -> str:
        documents = [self.flow(name) for name in self.flows]
        head = {"flowc": 1, "use": {"t": "shop.etl", "u": "shop.more.deep"}, "events": DECLARED}
        head["actors"] = {"account": "t.Account", "tally": "shop.more:Tally"}
        documents[0] = {**head, **documents[0]}
        return self.commented("---\n".join(self.dumped(each) for each in documents))

    def dumped(self, document: dict) -> str:
        style = self.rng.choice([None, False, False])
        return yaml.safe_dump(
            document, sort_keys=False, default_flow_style=style, width=10**6, allow_unicode=True
        )

    def commented(self, text: str) -> str:
        lines: list[str] = []
        for line in text.splitlines():
            indent = line[: len(line) - len(line.lstrip(" "))]
            pick = self.rng.random()
            if pick < 0.06:
                lines.append(f"{indent}# above {len(lines)}")
            elif pick < 0.1:
                lines += ["", f"{indent}#and below", ""]
            behind = f"   # behind {len(lines)}" if self.rng.random() < 0.08 else ""
            lines.append(line + behind)
        return "\n".join([*lines, *(["# the end"] if self.rng.random() < 0.3 else [])]) + "\n"

    # Parts of flows

    def flow(self, name: str) -> dict:
        self.left = self.rng.randint(4, 40)
        inputs: dict[str, object] = {"a": "any", "n": "int", "xs": "list[any]"}
        for _ in range(self.rng.randint(0, 3)):
            inputs[self.fresh("i")] = self.input()
        flow: dict[str, object] = {"flow": name, "inputs": inputs}
        some = {
            "doc": self.rng.choice(["a text", "two\nlines\n", "with # and: signs"]),
            "returns": self.rng.choice(TYPES),
            "timeout": "2h",
            "labels": {"team": "ml", "a b": "1"},
            "defaults": {"retry": self.retry(), "timeout": "5m", "options": {"num_cpus": 1}},
            "schedule": {"every": "1h"},
        }
        flow |= {key: value for key, value in some.items() if key in FLOW.keys and self.rng.random() < 0.3}
        if "schedule" in flow:  # It runs by itself.
            given = {"a": None, "n": 2, "xs": [1, "x"]}
            inputs |= {key: {"type": inputs[key], "default": value} for key, value in given.items()}
        names = ["a", "n", "xs"]
        if self.rng.random() < 0.15:
            flow["graph"] = self.graph(names, 1)
            flow["result"] = self.expression(names)
        else:
            flow["steps"] = self.steps(names, 0, self.rng.randint(1, 8))
        return flow

    def input(self) -> object:
        match self.rng.randrange(5):
            case 0:
                return {"type": "any", "default": self.rng.choice([None, 1, "x"])}
            case 1:
                return {"type": "int", "default": self.rng.randint(-5, 5), "min": -9, "max": 9}
            case 2:
                return {"type": "str", "default": self.rng.choice(WORDS), "doc": "a # doc"}
            case 3:
                return {"type": "list[int]", "default": [1, -2, 3]}
            case _:
                return {"type": "str", "default": "x", "choices": ["x", "y z", "3"]}

    def fresh(self, stem: str) -> str:
        self.made += 1
        return f"{stem}{self.made}"

    def expression(self, names: list[str]) -> object:
        name = self.rng.choice(names)
        return self.rng.choice(
            [
                name,
                f"{name} == 'x # y'",
                f"[{name}, {{'k': {name}}}]",
                f"len(xs) + {self.rng.randint(0, 9)}",
                f'f"{{{name}}} and {{{name}!r:>4}}: #"',
                f"first({name}, 'a: b')",
                f"{name} if n > 1 else None",
                f"[x for x in xs if x != {name}]",
                "1_000",
                "-5",
                3.5,
                True,
                None,
                f"${{{{ {name} }}}}",
                [name, 1, "n + 1"],
                {"k": name, "k 2": [1]},
            ]
        )

    def key(self, names: list[str]) -> object:
        """An expression that may come to a text, a whole number or a truth value."""
        while True:
            key = self.expression(names)
            if not (key is None or isinstance(key, float | list | dict) or str(key).startswith("[")):
                return key

    def condition(self, names: list[str]) -> str:
        test = self.rng.choice(["== xs", "!= 'a # b'", "is not None", "in [1, 2]", "== n and len(xs) > 1"])
        return f"{self.rng.choice(names)} {test}"

    def data(self, names: list[str], depth: int = 0) -> object:
        name = self.rng.choice(names)
        plain = [
            self.rng.choice(WORDS),
            f"${{{{ {name} }}}}",
            f"x ${{{{ {name} }}}} {{y}} ${{{{ n }}}}",
            5,
            -2,
            1.5,
            True,
            None,
        ]
        if depth < 2:
            plain += [[self.data(names, 2), self.data(names, 2)], {"k": self.data(names, 2), "not a name": 1}]
        return self.rng.choice(plain)

    def call(self, names: list[str]) -> str:
        name = self.rng.choice(names)
        return self.rng.choice(
            [
                f"t.f({name})",
                "t.g()",
                f"u.h(n, key={name}, e='a, b')",
                f"t.f(t.g({name}), n=-1)",
                self.rng.choice([f"account({name}).deposit(n, by='a, b')", "tally('all').count()"]),
            ]
        )

    def retry(self) -> object:
        fields: dict[str, object] = {"max": 3, "delay": "1s", "factor": 1.5, "cap": "1m", "jitter": "none"}
        fields |= {"catch": self.some(CLASSES), "unless": self.rng.choice(CLASSES), "within": "1h"}
        kept = {key: value for key, value in fields.items() if self.rng.random() < 0.4}
        return self.rng.choice([2, "never", kept or 1])

    def some(self, pool: list) -> list:
        return self.rng.sample(pool, self.rng.randint(1, len(pool)))

    def maybe(self, step: dict, kind: str, **values: object) -> dict:
        """The step with some of these keys, as far as the language has them."""
        known = STEPS[kind].keys
        return step | {
            key: value for key, value in values.items() if key in known and self.rng.random() < 0.35
        }

    # Steps

    def steps(self, names: list[str], depth: int, count: int) -> list:
        inside, made = list(names), []
        for _ in range(count):
            self.left -= 1
            if self.left < 0:
                break
            made.append(self.step(inside, depth, in_graph=False))
        return made

    def block(self, names: list[str], depth: int) -> object:
        if self.rng.random() < 0.15:
            return self.call(names)
        return self.steps(names, depth + 1, self.rng.randint(0, 3))

    def graph(self, names: list[str], depth: int) -> dict:
        inside, made = list(names), {}
        for _ in range(self.rng.randint(1, 3)):
            name = self.fresh("g")
            if self.rng.random() < 0.5:
                made[name] = self.call(inside)
            else:
                made[name] = self.step(inside, max(depth, 3), in_graph=True)
            inside.append(name)
        return made

    def step(self, names: list[str], depth: int, *, in_graph: bool) -> dict:
        kinds = ["call", "value", "sleep", "wait", "emit", "start"]
        if depth < 3:
            kinds += ["if", "for", "while", "until", "graph", "do", "saga", "switch", "race", "try", "lock"]
            kinds += [] if in_graph else ["return", "raise", "fail"]
        kind = self.rng.choice([each for each in kinds if each in STEPS])
        step = getattr(self, f"_{kind}")(list(names), depth)
        if "id" in STEPS[kind].keys and kind not in ("return", "raise", "fail", "emit", "sleep"):
            name = self.fresh("v")
            if not in_graph and self.rng.random() < 0.5:
                step = {"id": name, **step}
                names.append(name)
        if self.rng.random() < 0.05:
            step["doc"] = "why: # because"
        return step

    def _call(self, names, depth):
        step = {"call": self.rng.choice([self.call(names), "shop.far:run(a, 'a, b')", "t.bare"])}
        if self.rng.random() < 0.4:
            step["with"] = {"w": self.data(names), "z": self.data(names)}
        undo = {"call": "t.undo(n)", "retry": self.retry(), "timeout": "1m"}
        more = {"undo": self.rng.choice(["t.undo(a)", "account(a).take(n)", undo])} if self.sagas else {}
        # What comes out of the cache cannot be undone, and has not called an actor.
        if not self.sagas and not step["call"].startswith(("account", "tally")):
            more = {"cache": self.rng.choice([True, "a", {"key": "a", "ttl": "7d"}, {"key": "[a, n]"}])}
        options = {
            "num_cpus": 2,
            "memory": "4GiB",
            "resources": {"x": 0.5},
            "runtime_env": {"env_vars": {"A": "b c"}},
        }
        durations = {"timeout": self.rng.choice(DURATIONS), "heartbeat": "5m"}
        return self.maybe(step, "call", retry=self.retry(), options=options, **durations, **more)

    def _value(self, names, depth):
        return {"value": self.expression(names)}

    def _sleep(self, names, depth):
        more = [{"cron": "0 9 * * *", "tz": "UTC"}] if "cron" in str(STEPS["sleep"].keys["sleep"]) else []
        return {"sleep": self.rng.choice([*DURATIONS, {"until": "now()"}, *more])}

    def _wait(self, names, depth):
        event = self.rng.choice(list(DECLARED))
        step = {"wait": event} | ({"key": "'k'"} if event == "ready" else {})
        step = self.maybe(step, "wait", match="event != n", timeout="48h")
        if "timeout" in step and self.rng.random() < 0.5:
            step["else"] = self.block(names, depth)
        return step

    def _emit(self, names, depth):
        event = self.rng.choice(list(DECLARED))
        step = {"emit": event} | ({"key": "'k'"} if event == "ready" else {})
        payload = self.rng.choice([{"p": self.data(names), "q": 1}, {"not a name": 1}, "${{ n }}", 5])
        if event == "done":  # One of no declared type needs no payload.
            return self.maybe(step, "emit", **{"with": payload})
        return step | {"with": payload}

    def _start(self, names, depth):
        return {"start": f"{self.rng.choice(self.flows)}(a, n, xs)"}

    def _if(self, names, depth):
        step = {"if": self.condition(names), "then": self.block(names, depth)}
        if self.rng.random() < 0.5:
            inner = {"if": self.condition(names), "then": self.block(names, depth)}
            step["else"] = [inner] if self.rng.random() < 0.4 else self.block(names, depth)
        return step

    def _body(self, names, depth):
        if self.rng.random() < 0.3:
            return {"graph": self.graph(names, depth + 1)}
        if self.rng.random() < 0.1:
            return {"do": [{"graph": self.graph(names, depth + 1)}]}
        return {"do": self.block(names, depth)}

    def _for(self, names, depth):
        var = self.fresh("x")
        step = {"for": f"{var} in xs", **self._body([*names, var], depth)}
        step = self.maybe(step, "for", parallel=4, errors="collect", need="n", batch=2, collect=f"[{var}]")
        return staying(step) if "parallel" in step else step

    def _while(self, names, depth):
        return self.maybe(
            {"while": self.condition(names), **self._body(names, depth)}, "while", max=5, every="30s"
        )

    def _until(self, names, depth):
        return self.maybe(
            {"until": self.condition(names), **self._body(names, depth)}, "until", max="n", every="1s"
        )

    def _graph(self, names, depth):
        return self.maybe({"graph": self.graph(names, depth + 1)}, "graph", failure="finish")

    def _do(self, names, depth):
        return self.maybe({"do": self.block(names, depth)}, "do", timeout="5m", retry=2)

    def _saga(self, names, depth):
        self.sagas += 1
        block = self.steps(names, depth + 1, 3)
        self.sagas -= 1
        return {"saga": block}

    def _switch(self, names, depth):
        values = [["book", "a # b"], "it's", 5, None, "${{ n }}", ["x", 1.5], [[1, 2]]]
        cases = [{"is": each, **self._body(names, depth)} for each in self.some(values)]
        return self.maybe(
            {"switch": self.expression(names), "cases": cases}, "switch", **{"else": self.block(names, depth)}
        )

    def _race(self, names, depth):
        branches = [{"id": self.fresh("b"), **self._body(names, depth)} for _ in range(2)]
        return self.maybe({"race": branches}, "race", need=2, errors="drop")

    def _try(self, names, depth):
        types = self.rng.choice([CLASSES[0], self.some(CLASSES)])
        catches = [
            {"type": types, "as": self.fresh("e"), "do": self.block(names, depth)},
            {"do": self.block(names, depth)},
        ]
        step = {"try": self.block(names, depth), "catch": catches[: self.rng.randint(1, 2)]}
        return self.maybe(step, "try", **{"finally": staying(self.block(names, depth))})

    def _lock(self, names, depth):
        return self.maybe(
            {"lock": "gpu", "do": self.block(names, depth)}, "lock", key=self.key(names), limit=2
        )

    def _return(self, names, depth):
        return {"return": self.expression(names)}

    def _raise(self, names, depth):
        return {"raise": self.rng.choice(["t.Busy(a, n=1)", "ValueError('x # y')", "OSError"])}

    def _fail(self, names, depth):
        return {"fail": self.rng.choice([*WORDS[:3], "order ${{ n }} was {declined}", 404, "two\nlines"])}
