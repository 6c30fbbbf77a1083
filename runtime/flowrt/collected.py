"""What a `for` with `errors: collect` gives to its readers: contributions, and the errors beside them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForError:
    """A body that failed: the index and value of its item, the exception's qualified name and text."""

    index: int
    item: object
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Contributions of the bodies that succeeded and errors of the others, each in the items' order."""

    values: list[object]
    errors: list[ForError]
