"""What holds for a whole file or flow while its steps are resolved; each step reads it."""

from collections.abc import Mapping

from flowc.ir import Modifiers
from flowc.resolve.found import Found
from flowrt.expr.tree import At, Attribute, Const, Expr
from flowrt.noun import field, noun
from flowrt.type_ref import TypeRef


@noun
class Names:
    """The file's names for things outside a flow: `files` are the aliases of flow files, with their paths.

    `lost` are names whose definition could not be understood, which has been reported: nothing that
    uses them is worth a second message. `all_lost` says the same of every name that is not known.
    `payloads` are the types of the events that are declared with one, `actors` the import paths of the
    classes of the actors.
    """

    aliases: Mapping[str, str]
    flows: frozenset[str]
    lost: frozenset[str] = frozenset()
    all_lost: bool = False
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    payloads: Mapping[str, TypeRef] = field(default_factory=dict[str, TypeRef])
    actors: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def every_alias(self) -> Mapping[str, str]:
        """The aliases of modules and of flow files."""
        return {**self.aliases, **self.files} if self.files else self.aliases

    def is_lost(self, name: str) -> bool:
        """Whether a name has been reported where it is defined."""
        known = name in self.aliases or name in self.flows or name in self.files
        return name in self.lost or (self.all_lost and not known)


@noun(frozen=False)
class Setting:
    """One flow while it is resolved. `lifted` counts the calls taken out of expressions so far.

    `saga_depth` is how many sagas there are around the present place, `guard_depth` how many constructs
    that a flow which is called last must not leave before it has ended. `caught` are the names of the
    caught errors.
    """

    found: Found
    names: Names
    defaults: Modifiers
    lifted: int = 0
    saga_depth: int = 0
    guard_depth: int = 0
    caught: tuple[str, ...] = ()

    def next_name(self) -> str:
        """A name for the value of a lifted call: unique in the flow, and none that an author can write."""
        name = f"${self.lifted}"
        self.lifted += 1
        return name


def stand_in(at: At) -> Expr:
    """In the place of an expression that could not be understood, so that nothing else is said of it.

    It reads no name, and its type is `any`, which a constant would not have.
    """
    return Attribute(Const(None, at), "unknown", at)
