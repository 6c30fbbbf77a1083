"""Random flows that end: in a seed, out the text of a flow file that the checks accept.

Every name holds a whole number or a list of them. Each loop counts its own rounds, so a flow ends; it may
fail, and then fails in whatever order its steps end. Whatever could depend on that order (`need` with
`parallel`, the text of a failure) is left out, so that all ways of running a flow must agree.
"""

import json
import random
from dataclasses import dataclass, replace

FAR = "90d"
"""So long nothing here takes."""

EVENTS = {"ping": {"type": "int", "key": "str"}, "never": {"type": "int", "external": True}}


@dataclass(frozen=True)
class Place:
    """Where a block stands: what may be read and assigned there, and how it may be left."""

    ints: tuple[str, ...]
    lists: tuple[str, ...] = ()
    assignable: frozenset[str] = frozenset()
    depth: int = 0
    in_loop: bool = False
    may_return: bool = True
    in_saga: bool = False
    alone: bool = True
    """Whether nothing else runs at the same time: events of one key would be taken by one another."""


class Writer:
    """Writes one flow file."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        # What stands beside the steps of a flow takes nothing from the chance that makes them.
        self.aside = random.Random(f"beside {seed}")
        # One flow of five calls methods of actors, which count their calls, and say nothing of that.
        self.turns = random.Random(f"turns {seed}") if seed % 5 == 2 else None
        self.made = 0
        self.flows = [f"f{n}" for n in range(self.rng.randint(1, 3))]
        self.left = 0

    def text(self) -> str:
        """The documents of the file, the main flow first."""
        documents = [self.flow(index) for index in range(len(self.flows))]
        head = {"flowc": 1, "use": {"s": "story_tasks"}, "events": EVENTS}
        if self.turns is not None:
            head["actors"] = {"adder": "s.Adder"}
        documents[0] = {**head, **documents[0]}
        return "\n---\n".join(json.dumps(document, indent=1) for document in documents) + "\n"

    def flow(self, index: int) -> dict:
        self.left = self.rng.randint(6, 40)
        self.callable = self.flows[index + 1 :]
        self.depth = 2 if index else 4
        given = {"n": "int"} if index else {}
        place = Place(tuple(given))
        steps: list[dict] = [] if index else [{"id": "n", "value": str(self.rng.randint(0, 9))}]
        place = replace(place, ints=("n",), assignable=frozenset(("n",)), alone=index == 0)
        more, after, left = self.block(place, self.rng.randint(3, 9))
        steps += more
        if not left:
            steps.append({"return": self.result(after) if index == 0 else self.number(after)})
        return {"flow": self.flows[index], "inputs": given, "steps": steps}

    def result(self, place: Place) -> str:
        return f"[{', '.join((*place.ints, *place.lists))}]"

    # Names and expressions

    def fresh(self, stem: str) -> str:
        self.made += 1
        return f"{stem}{self.made}"

    def number(self, place: Place) -> str:
        pick = self.rng.random()
        if pick < 0.25 or not place.ints:
            return str(self.rng.randint(0, 9))
        if pick < 0.35 and place.lists:
            return f"{self.rng.choice(('sum', 'len'))}({self.rng.choice(place.lists)})"
        if pick < 0.5:
            return f"({self.rng.choice(place.ints)} + {self.rng.randint(1, 5)}) % 7"
        return self.rng.choice(place.ints)

    def cond(self, place: Place) -> str:
        return f"({self.number(place)}) % {self.rng.randint(2, 4)} == {self.rng.randint(0, 1)}"

    def target(self, place: Place) -> tuple[str, Place]:
        """A name to be assigned, new or not, and the place after that."""
        if place.assignable and self.rng.random() < 0.5:
            return self.rng.choice(sorted(place.assignable)), place
        name = self.fresh("v")
        return name, self.knowing(place, name)

    def knowing(self, place: Place, name: str) -> Place:
        return replace(place, ints=(*place.ints, name), assignable=place.assignable | {name})

    # Blocks

    def block(self, place: Place, size: int) -> tuple[list[dict], Place, bool]:
        """Steps, what is known behind them, and whether none of them gets there."""
        steps: list[dict] = []
        for _ in range(size):
            if self.left <= 0:
                break
            self.left -= 1
            kinds = self.kinds(place)
            kind = self.rng.choices(list(kinds), list(kinds.values()))[0]
            more, place, left = getattr(self, kind)(place)
            steps += more
            if left:
                return steps, place, True
            steps += self.started(place)
            steps += self.called(place)
        if not steps:
            steps, place, _ = self.task(place)
        return steps, place, False

    def kinds(self, place: Place) -> dict[str, int]:
        kinds = {"task": 6, "value": 3, "lift": 1, "pause": 1, "listen": 1}
        if place.alone:
            kinds["event"] = 1
        if self.callable and place.depth < 2:
            kinds["call"] = 2
        if place.depth < self.depth:
            kinds |= {"branch": 4, "each": 3, "many": 3, "count": 2, "graph": 2, "nested": 1, "saga": 2}
            kinds |= {"switch": 2, "race": 2, "tried": 2, "bounded": 1, "locked": 1}
        if place.depth:
            kinds["risk"] = 2
            if place.in_loop or place.may_return:
                kinds["leave"] = 1
        return kinds

    def called(self, place: Place) -> list[dict]:
        """Now and then a method of one of three actors, which many steps may call at once."""
        if self.turns is None or self.turns.random() >= 0.25:
            return []
        name, given = self.fresh("sum"), self.turns.choice((*place.ints, "5"))
        key = self.turns.choice(("'a'", "'b'", "1"))
        told = {"if": f"{name} != {given} + 2", "then": [{"fail": "it has another sum"}]}
        return [{"id": name, "call": f"adder({key}).plus({given}, 2)"}, told]

    def started(self, place: Place) -> list[dict]:
        """Now and then a run of its own; its id is another one in each run, so nothing depends on it."""
        if not self.callable or place.depth > 2 or self.aside.random() >= 0.08:
            return []
        name = self.fresh("run")
        flow, given = self.aside.choice(self.callable), self.aside.choice((*place.ints, "5"))
        told = {"if": f"len({name}) == 0", "then": [{"fail": "it has no id"}]}
        return [{"id": name, "start": f"{flow}({given})"}, told]

    def task(self, place: Place):
        name, after = self.target(place)
        one, other = self.number(place), self.number(place)
        step: dict = {"id": name, "call": f"s.mix({one}, {other})"}
        if place.in_saga and self.rng.random() < 0.8:
            undo = self.rng.choice(("mix", "mix", "fail_if"))
            step["undo"] = f"s.{undo}({name}, {self.number(place)})"
        elif self.aside.random() < 0.2:
            step["cache"] = self.aside.choice((True, f"[{one}, {other}]", {"key": f"[{one}, {other}]"}))
            if isinstance(step["cache"], dict):
                step["cache"]["ttl"] = self.aside.choice(("1s", FAR))
        return [step], after, False

    def risk(self, place: Place):
        name, after = self.target(place)
        return [{"id": name, "call": f"s.even_only(({self.number(place)}) // 3)"}], after, False

    def value(self, place: Place):
        if self.rng.random() < 0.3:
            name = self.fresh("xs")
            items = ", ".join(self.number(place) for _ in range(self.rng.randint(0, 4)))
            return [{"id": name, "value": f"[{items}]"}], replace(place, lists=(*place.lists, name)), False
        name, after = self.target(place)
        return [{"id": name, "value": self.number(place)}], after, False

    def lift(self, place: Place):
        """Calls inside an expression."""
        name, after = self.target(place)
        call = f"s.mix(s.add({self.number(place)}, 1), {self.number(place)})"
        return [{"id": name, "value": f"{call} + {self.number(place)}"}], after, False

    def pause(self, place: Place):
        return [{"sleep": f"{self.rng.randint(1, 90)}s"}], place, False

    def listen(self, place: Place):
        """A listener that hears at once; its time is never over, for nobody knows who would be faster."""
        name, after = self.target(place)
        step = {"id": name, "wait": f"s.Heard({self.number(place)})"}
        if self.rng.random() < 0.5:
            step["timeout"] = FAR
            if self.rng.random() < 0.5:
                step["else"] = [{"id": name, "value": "0"}]
        return [step], after, False

    def event(self, place: Place):
        name, after = self.target(place)
        key = f"'{self.fresh('k')}'"
        sent = {"emit": "ping", "key": key, "with": f"${{{{ {self.number(place)} }}}}"}
        return [sent, {"id": name, "wait": "ping", "key": key}], after, False

    def call(self, place: Place):
        name, after = self.target(place)
        return [{"id": name, "call": f"{self.rng.choice(self.callable)}({self.number(place)})"}], after, False

    def leave(self, place: Place):
        ways = ["break", "continue"] * 2 if place.in_loop else []
        way = self.rng.choice([*ways, "return"] if place.may_return else ways)
        if way != "return":
            return [way], place, True
        if self.callable and self.rng.random() < 0.5:
            return [{"return": f"{self.rng.choice(self.callable)}({self.number(place)})"}], place, True
        return [{"return": self.number(place)}], place, True

    # Constructs

    def inside(self, place: Place) -> Place:
        return replace(place, depth=place.depth + 1)

    def apart(self, place: Place) -> Place:
        """The same seen from what runs beside others: nothing outside is assigned, nothing is left."""
        inside = self.inside(place)
        return replace(inside, assignable=frozenset(), in_loop=False, may_return=False, alone=False)

    def branch(self, place: Place):
        then, after_then, then_left = self.block(self.inside(place), self.rng.randint(1, 3))
        step: dict = {"if": self.cond(place), "then": then}
        if self.rng.random() < 0.5:
            return [step], place, False
        step["else"], after_else, else_left = self.block(self.inside(place), self.rng.randint(1, 3))
        if then_left and else_left:
            return [step], place, True
        if then_left or else_left:
            return [step], replace(after_else if then_left else after_then, depth=place.depth), False
        if self.rng.random() < 0.5:
            return [step], place, False
        name = self.fresh("v")
        step["then"] = [*then, {"id": name, "value": self.number(after_then)}]
        step["else"] = [*step["else"], {"id": name, "call": f"s.add({self.number(after_else)}, 1)"}]
        return [step], self.knowing(place, name), False

    def switch(self, place: Place):
        """A `switch` whose cases may leave, and which all assign a name when none does."""
        arms = [self.block(self.inside(place), self.rng.randint(1, 2)) for _ in range(self.rng.randint(2, 4))]
        step: dict = {"switch": f"({self.number(place)}) % 4", "cases": []}
        blocks = [do for do, _, _ in arms]
        name = self.fresh("v")
        if not any(left for _, _, left in arms):
            for do, after, _ in arms:
                do.append({"id": name, "value": self.number(after)})
            place = self.knowing(place, name)
        for number, do in enumerate(blocks[:-1]):
            fits = self.rng.choice((number, [number, number - 9], f"${{{{ {number} * 1 }}}}"))
            step["cases"].append({"is": fits, "do": do})
        step["else"] = blocks[-1]
        return [step], place, all(left for _, _, left in arms)

    def race(self, place: Place):
        """A race that all branches or only one can win, so that it does not matter who is faster."""
        name = self.fresh("v")
        count = self.rng.randint(1, 3)
        bodies = [self.block(self.apart(place), self.rng.randint(1, 2)) for _ in range(count)]
        branches: list[dict] = []
        everybody = self.rng.random() < 0.5
        winner = self.rng.randrange(count)
        for index, (do, after, _) in enumerate(bodies):
            ends = [{"value": self.number(after)}] if everybody or index == winner else [{"wait": "never"}]
            first = do if everybody or index == winner else self.safe(place)
            branches.append({"id": f"b{index}", "do": [*first, *ends]})
        step = {"id": name, "race": branches}
        if not everybody:
            return [step], self.knowing(place, name), False
        step["need"] = count if self.rng.random() < 0.5 else f"{count} + 0"
        total = self.fresh("v")
        value = f"sum({name})" if step["need"] != 1 else name
        return [step, {"id": total, "value": value}], self.knowing(place, total), False

    def safe(self, place: Place) -> list[dict]:
        """Steps that cannot fail."""
        number = self.number(place)
        return [{"call": f"s.mix({number}, 1)"}, {"sleep": "5s"}][: self.rng.randint(0, 2)]

    def nested(self, place: Place):
        do, after, left = self.block(self.inside(place), self.rng.randint(1, 3))
        return [{"do": do}], replace(after, depth=place.depth), left

    def locked(self, place: Place):
        """A lock: those further in, or of called flows, have other names, so nobody waits in a circle."""
        do, after, left = self.block(self.inside(place), self.rng.randint(1, 3))
        step = {"lock": f"lock_{len(self.flows) - len(self.callable)}_{place.depth}", "do": do}
        roll = self.rng.random()
        if roll < 0.4:
            step["limit"] = f"({self.number(place)}) % 3 + 1"
        if roll < 0.2 or roll > 0.8:
            step["key"] = f"({self.number(place)}) % 2"
        return [step], replace(after, depth=place.depth), left

    def saga(self, place: Place):
        do, after, left = self.block(replace(self.inside(place), in_saga=True), self.rng.randint(1, 4))
        return [{"saga": do}], replace(after, depth=place.depth, in_saga=place.in_saga), left

    def tried(self, place: Place):
        """A `try` that deals with every failure, or with none: which one comes first nobody knows."""
        inside = replace(self.inside(place), assignable=frozenset())
        parts = self.rng.choice((("catch",), ("catch",), ("finally",), ("catch", "finally")))
        do, after, left = self.block(inside, self.rng.randint(1, 3))
        step: dict = {"try": do}
        arms = [(do, after, left)]
        if "catch" in parts:
            error = self.fresh("e")
            caught, after, left = self.caught(inside, error)
            arms.append((caught, after, left))
            catches = [{"as": error, "do": caught}]
            if self.rng.random() < 0.4:
                catches.insert(0, {"type": ["OSError", "flowrt:WorkerLost"], "do": []})
                arms.append((catches[0]["do"], inside, False))
            step["catch"] = catches if len(catches) > 1 else catches[0]
        left = all(left for _, _, left in arms)
        if not left:
            name = self.fresh("v")
            for steps, known, gone in arms:
                if not gone:
                    steps.append({"id": name, "value": self.number(known)})
        if "finally" in parts:
            apart = replace(self.inside(place), in_loop=False, may_return=False)
            step["finally"], after, _ = self.block(apart, self.rng.randint(1, 2))
            place = replace(place, ints=after.ints, lists=after.lists, assignable=after.assignable)
        return [step], place if left else self.knowing(place, name), left

    def caught(self, place: Place, error: str):
        """What deals with a failure."""
        name = self.fresh("v")
        first = {"id": name, "call": f"s.mix(len({error}.step) * 0, {self.number(place)})"}
        do, after, left = self.block(self.knowing(place, name), self.rng.randint(1, 2))
        if left or self.rng.random() < 0.8:
            return [first, *do], after, left
        return [first, *do, {"raise": error}], after, True

    def bounded(self, place: Place):
        """A block that is made again when it fails, with a bound that is never reached."""
        do, after, left = self.block(self.inside(place), self.rng.randint(1, 3))
        step: dict = {"do": do}
        if self.rng.random() < 0.7:
            step["retry"] = self.rng.choice((1, {"max": 1, "delay": "9s", "within": FAR}, {"max": 0}))
        if len(step) == 1 or self.rng.random() < 0.5:
            step["timeout"] = FAR
        return [step], replace(after, depth=place.depth), left

    def items(self, place: Place) -> str:
        if place.lists and self.rng.random() < 0.6:
            return self.rng.choice(place.lists)
        return f"range({self.rng.randint(0, 4)})"

    def each(self, place: Place):
        """A `for` whose bodies run one after another."""
        variable = self.fresh("i")
        body = replace(self.inside(place), ints=(*place.ints, variable), in_loop=True)
        step: dict = {"for": f"{variable} in {self.items(place)}"}
        if self.rng.random() < 0.2:
            step["need"] = 1
        return self.loop_value(place, step, body)

    def many(self, place: Place):
        """A `for` whose bodies run at the same time."""
        variable = self.fresh("i")
        body = replace(self.apart(place), ints=(*place.ints, variable))
        step: dict = {"for": f"{variable} in {self.items(place)}", "parallel": self.rng.randint(1, 4)}
        return self.loop_value(place, step, body)

    def loop_value(self, place: Place, step: dict, body: Place):
        """The body, and what is made of what the bodies contribute."""
        errors = self.rng.choice(("fail", "collect", "drop"))
        step["errors"] = errors
        if self.rng.random() < 0.2:
            variable = step["for"].split()[0]
            step["batch"] = self.rng.randint(1, 3)
            start = self.fresh("v")
            first = [{"id": start, "value": f"sum({variable})"}]
            ints = tuple(name for name in body.ints if name != variable)
            body = replace(body, ints=(*ints, start), lists=(*body.lists, variable))
        else:
            first = []
        do, after, left = self.block(body, self.rng.randint(1, 3))
        step["do"] = first + do
        if left:
            return [step], place, False
        step["collect"] = self.number(after)
        name = self.fresh("xs")
        step["id"] = name
        if errors != "collect":
            return [step], replace(place, lists=(*place.lists, name)), False
        total = self.fresh("v")
        value = f"sum({name}.values) + sum([e.index for e in {name}.errors]) * 10"
        return [step, {"id": total, "value": value}], self.knowing(place, total), False

    def count(self, place: Place):
        """`while` and `until`, each with a counter of its own, with a call in its condition or without."""
        counter, seen = self.fresh("c"), self.fresh("v")
        bound = self.rng.randint(1, 4)
        inside = replace(self.inside(place), ints=(*place.ints, counter), in_loop=True)
        first = [{"id": counter, "value": f"{counter} + 1"}, {"id": seen, "call": f"s.add({counter}, 0)"}]
        knowing = replace(inside, ints=(*inside.ints, seen))
        do, _, _ = self.block(knowing, self.rng.randint(1, 3))
        test = self.rng.choice(
            (
                f"{counter} < {bound}",
                f"s.less({counter}, {bound})",
                f"{self.cond(inside)} and {counter} < {bound}",
            )
        )
        if self.rng.random() < 0.5:
            step: dict = {"while": test, "do": first + do}
        else:
            step = {"until": self.rng.choice((f"not ({test})", f"{seen} >= {bound}")), "do": first + do}
        if self.rng.random() < 0.2:
            step["max"] = bound
        if self.rng.random() < 0.2:
            step["every"] = "10s"
        return [{"id": counter, "value": "0"}, step], replace(place, ints=(*place.ints, counter)), False

    def graph(self, place: Place):
        names: list[str] = []
        steps: dict[str, object] = {}
        before = self.apart(place)
        for _ in range(self.rng.randint(1, 4)):
            name = self.fresh("g")
            kind = self.rng.random()
            known = replace(before, ints=(*before.ints, *names))
            if kind < 0.6:
                steps[name] = f"s.mix({self.number(known)}, {self.number(known)})"
            elif kind < 0.7:
                steps[name] = f"s.even_only({self.number(known)})"
            elif kind < 0.8:
                steps[name] = self.number(known)
            else:
                do, after, _ = self.block(self.inside(known), self.rng.randint(1, 2))
                steps[name] = {"do": [*do, {"value": self.number(after)}]}
            names.append(name)
        step = {"graph": steps, "failure": self.rng.choice(("cancel", "finish"))}
        return [step], replace(place, ints=(*place.ints, *names)), False


def random_flow(seed: int) -> str:
    """The text of the flow file of this seed."""
    return Writer(seed).text()
