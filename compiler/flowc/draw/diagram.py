"""A diagram: boxes, the boxes inside of them, and arrows; what every format is written from."""

from typing import Literal

from flowrt.noun import noun

State = Literal["none", "succeeded", "running", "waiting", "failed", "stopped"]


@noun
class Arrow:
    """From a box to a later one of the same group, by their numbers.

    `names` are the values that go along, as far as they have names; without `data`, one merely runs after the
    other.
    """

    source: int
    target: int
    names: tuple[str, ...] = ()
    data: bool = False


@noun
class Group:
    """The boxes of a body. `label` is the word that it stands under: `then`, `do`, a case of a switch."""

    label: str
    boxes: tuple["Box", ...]
    arrows: tuple[Arrow, ...]


@noun
class Box:
    """A step: its name (empty when it has none), what it does, what is inside, and how it stands in a run.

    `key` is unique in the diagram. `tally` is a text such as `17/100 done`, empty without a run.
    """

    key: str
    name: str
    text: str
    groups: tuple[Group, ...] = ()
    state: State = "none"
    tally: str = ""
    ends: bool = False

    @property
    def shows_labels(self) -> bool:
        """Whether the words over its groups say anything: not the one `do` of a loop."""
        return any(group.label not in ("", "do") for group in self.groups) or len(self.groups) > 1


@noun
class FlowBox:
    """A flow: its head, such as `restock(items: list[str])`, and its body."""

    key: str
    head: str
    body: Group


@noun
class Diagram:
    """The flows of a program, the main one first. `title` names the run whose state is shown, if one is."""

    flows: tuple[FlowBox, ...]
    title: str = ""
