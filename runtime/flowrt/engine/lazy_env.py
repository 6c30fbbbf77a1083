"""The environment of an expression that the engine evaluates: values are loaded when they are read."""

from collections.abc import Iterator, Mapping

from flowrt.encoding.values import Values
from flowrt.executor.port import RunFacts
from flowrt.executor.run_info import run_info
from flowrt.value import Handle


class LazyEnv(Mapping[str, object]):
    """Names to Python objects, which are shared: an expression never changes what it reads."""

    def __init__(self, values: Values, handles: Mapping[str, Handle], facts: RunFacts) -> None:
        """Read from `handles`; add `run`."""
        self._values = values
        self._handles = handles
        self._facts = facts
        self._extra: dict[str, object] = {}

    def having(self, name: str, value: object) -> "LazyEnv":
        """The same environment and one more name."""
        env = LazyEnv(self._values, self._handles, self._facts)
        env._extra = {**self._extra, name: value}
        return env

    def __getitem__(self, name: str) -> object:
        """The value of a name. Raises KeyError."""
        if name in self._extra:
            return self._extra[name]
        if name in self._handles:
            return self._values.peek(self._handles[name])
        if name == "run":
            return run_info(self._facts)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter({**self._handles, **self._extra, "run": None})

    def __len__(self) -> int:
        """How many names there are."""
        return len(set(iter(self)))
