"""Names and where they hold: frames of bindings, and how the paths of a flow join. For `flowc.scope.trace`.

Definite assignment, in one walk from top to bottom. A `Frame` holds the names assigned in one block so
far; a name that it lacks is looked up in the frame around it. A block that may or may not run (an arm of
a branch, the body of a loop) is walked in a frame of its own, and afterwards `join` puts into the frame
around it what holds on *every* path:

    assigned on all paths that get here      a plain binding
    assigned on some of them only            a binding with `gaps`: the path on which it is missing
    assigned where it cannot be seen         a binding with `hidden`: why not

A path that leaves (`return`, `raise`, `fail`, `break`, `continue`) does not get here: its frame is no
longer `live`, and `join` passes it over.

Loops need no second round. Nothing is ever un-assigned, so what holds before the first iteration holds
before every other, and nothing more can be relied on: the first iteration has no iteration before it.
Only the types of the names that the body assigns are forgotten at its head.

A frame with a `barrier` is the body of a parallel `for`, a branch of a `race` or a step of a `graph`: these
run at the same time as others, so what lies above the barrier may be read but not assigned. One that
`is_final` is a `finally`, which nothing may leave.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from flowc.ir import For, Loop, Step
from flowc.span import Span
from flowrt.noun import field, noun, replace
from flowrt.type_ref import TypeRef

ANY = TypeRef("any")

HiddenKind = Literal["loop", "graph step", "race", "left"]
BarrierKind = Literal["graph", "parallel", "race"]
BindingKind = Literal["input", "step", "variable", "run", "event", "lifted", "error"]


@noun
class Gap:
    """One station of a path on which a name is missing: a place, and what is the case there."""

    span: Span
    text: str


@noun
class Hidden:
    """Why a name that was assigned cannot be seen: it belongs to the block at `span`.

    `instead` is what can be read in its place.
    """

    kind: HiddenKind
    span: Span
    instead: str = ""


@noun
class Binding:
    """What a name stands for at some point of a flow.

    `span` is where it was assigned, and `step` the step that did. `fields` are the attributes that its
    value has, when they are known; empty when they are not.
    """

    name: str
    span: Span
    kind: BindingKind
    step: Step | None = field(default=None, compare=False, repr=False)
    type: TypeRef = ANY
    fields: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    hidden: Hidden | None = None


@noun(frozen=False)
class LoopPoint:
    """The loop whose body a frame is: what `break` and `continue` need to know of it.

    `wanted` are the names that an `until` condition reads; `resumed` is what holds of them at each
    `continue`, from which the condition is reached as well.
    """

    step: For | Loop
    assigned: frozenset[str]
    wanted: frozenset[str] = frozenset()
    resumed: "list[Arm]" = field(default_factory=list["Arm"])
    break_count: int = 0


class Frame:
    """The names of one block, inside the frame of the block around it. It changes as the walk goes on."""

    __slots__ = ("barrier", "is_final", "live", "loop", "names", "parent")

    def __init__(
        self,
        parent: "Frame | None" = None,
        barrier: BarrierKind | None = None,
        loop: LoopPoint | None = None,
        *,
        is_final: bool = False,
    ) -> None:
        """An empty frame, reached when the frame around it is."""
        self.parent = parent
        self.barrier: BarrierKind | None = barrier
        self.loop = loop
        self.is_final = is_final
        self.live: bool = parent is None or parent.live
        self.names: dict[str, Binding] = {}

    def outward(self) -> "Iterator[Frame]":
        """This frame and those around it, from the inside to the outside."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def find(self, name: str) -> Binding | None:
        """What `name` stands for here; also a binding that is hidden."""
        for frame in self.outward():
            binding = frame.names.get(name)
            if binding is not None:
                return binding
        return None

    def sees(self, name: str) -> bool:
        """Whether `name` is assigned here, if only on some paths."""
        binding = self.find(name)
        return binding is not None and binding.hidden is None

    def visible(self) -> "Iterator[str]":
        """The names that can be read here and that an author can write, newest first."""
        seen: set[str] = set()
        for frame in self.outward():
            for name, binding in reversed(frame.names.items()):
                if name not in seen and binding.hidden is None and binding.kind != "lifted":
                    yield name
                seen.add(name)

    def clash(self, name: str) -> tuple[BarrierKind, Binding] | None:
        """The barrier that forbids to assign `name` here, and the outer binding that it protects."""
        barrier: BarrierKind | None = None
        for frame in self.outward():
            binding = frame.names.get(name)
            if binding is not None:
                return (barrier, binding) if barrier is not None and binding.hidden is None else None
            barrier = barrier or frame.barrier
        return None


@noun
class Arm:
    """One way to get to a point: the names at its end, and what is the case when it is taken."""

    frame: Frame
    gap: Gap


def join(parent: Frame, arms: Sequence[Arm]) -> None:
    """Put into `parent` what holds after `arms`, one of which was taken.

    When no arm gets here, nothing does; the names of all of them are then kept, so that the steps that
    stand here cause no findings beyond the one that they are never reached.
    """
    live = [arm for arm in arms if arm.frame.live]
    parent.live = bool(live)
    names = dict.fromkeys(name for arm in arms for name in arm.frame.names)
    for name in names:
        merged = merge(name, live) if live else _any_of(name, arms)
        if merged is not None:
            parent.names[name] = merged
        elif not parent.sees(name):
            parent.names[name] = _left(name, arms)


def merge(name: str, arms: Sequence[Arm]) -> Binding | None:
    """What `name` stands for when one of `arms` was taken; None when no arm knows it."""
    found = [(arm, arm.frame.find(name)) for arm in arms]
    seen = [binding for _, binding in found if binding is not None and binding.hidden is None]
    if not seen:
        return next((binding for _, binding in found if binding is not None), None)
    first = seen[0]
    return replace(
        first,
        type=first.type if all(each.type == first.type for each in seen) else ANY,
        fields=first.fields if all(each.fields == first.fields for each in seen) else (),
        gaps=_missing(name, found),
    )


def _missing(name: str, found: Sequence[tuple[Arm, Binding | None]]) -> tuple[Gap, ...]:
    """The first path on which the name is missing, station by station."""
    for arm, binding in found:
        if binding is None or binding.hidden is not None:
            return (arm.gap,)
        if binding.gaps:
            return (arm.gap, *binding.gaps) if name in arm.frame.names else binding.gaps
    return ()


def _any_of(name: str, arms: Sequence[Arm]) -> Binding | None:
    bindings = (arm.frame.names.get(name) for arm in arms)
    return next((replace(binding, gaps=()) for binding in bindings if binding is not None), None)


def _left(name: str, arms: Sequence[Arm]) -> Binding:
    """A name that only an arm which leaves assigns."""
    arm, binding = next((arm, arm.frame.names[name]) for arm in arms if name in arm.frame.names)
    return binding if binding.hidden is not None else replace(binding, hidden=Hidden("left", arm.gap.span))


class FrameTypes(Mapping[str, TypeRef]):
    """The types of the names that can be seen in a frame, looked up one by one as they are asked for."""

    def __init__(self, frame: Frame) -> None:
        """A view of `frame`."""
        self._frame = frame

    def __getitem__(self, name: str) -> TypeRef:
        """The type of a name; KeyError when it cannot be seen."""
        binding = self._frame.find(name)
        if binding is None or binding.hidden is not None:
            raise KeyError(name)
        return binding.type

    def __iter__(self) -> Iterator[str]:
        """The names that an author can write."""
        return self._frame.visible()

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)
