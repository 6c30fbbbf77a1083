"""The programs of a store in memory. In: encoded programs and callables; out: the same by digest."""

from collections.abc import Collection, Mapping

from flowrt.store.memory_rows import keep_only, kept


class MemoryPrograms:
    """Programs, callables, and which program has which."""

    def __init__(self) -> None:
        """Begin with none."""
        self._programs: dict[str, bytes] = {}
        self._code: dict[str, bytes] = {}
        self._of: dict[str, set[str]] = {}

    def keep(self, digest: str, program: bytes, code: Mapping[str, bytes]) -> None:
        """Add a program and its callables unless they are there."""
        self._programs.setdefault(digest, program)
        for key, data in code.items():
            self._code.setdefault(key, data)
        self._of.setdefault(digest, set()).update(code)

    def program(self, digest: str) -> bytes:
        """The program of that digest. Raises StoreCorrupt."""
        return kept(self._programs, digest, "program")

    def code(self, digest: str) -> bytes:
        """The callable of that digest. Raises StoreCorrupt."""
        return kept(self._code, digest, "callable")

    def sweep(self, used: Collection[str]) -> int:
        """Remove the programs that are not used, and the callables that no program has; how many."""
        for digest in set(self._of) - set(used):
            del self._of[digest]
        callables = {digest for each in self._of.values() for digest in each}
        return keep_only(self._programs, used) + keep_only(self._code, callables)
