"""Classes of actors whose objects are not simply kept: what they are made of, or how they say so, is odd."""

from threading import Lock


class Counting:
    def __init__(self):
        self.n = 0

    def count(self):
        self.n += 1
        return self.n


class Knot(Counting):
    """An object that is part of itself: it keeps a bound method, and has a part that knows it."""

    def __init__(self):
        super().__init__()
        self.again = self.count
        self.parts = [Part(self)]

    def count_by_parts(self):
        self.again()
        self.parts[0].whole.count()
        return self.n


class Part:
    def __init__(self, whole):
        self.whole = whole


class Listed(list):
    """What is in it knows it."""

    def count(self):
        self.append(Part(self))
        return len(self[0].whole)


class Helped(Counting):
    """Whatever it has not is asked of a helper, as wrappers do it: also while it is put together."""

    def __init__(self):
        super().__init__()
        self.helper = "help"

    def __getattr__(self, name):
        return getattr(self.helper, name)


class Slotted:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

    count = Counting.count


class Renamed:
    __slots__ = ("number",)

    def __init__(self):
        self.number = 0

    def count(self):
        self.number += 1
        return self.number


class Locking(Counting):
    def __init__(self):
        super().__init__()
        self.lock = Lock()


class Silent(Counting):
    def __getstate__(self):
        raise RuntimeError("no state for you")


class Pairs(Counting):
    """Gives a state that nothing takes."""

    def __getstate__(self):
        return ()


class Number(Counting):
    def __getstate__(self):
        return self.n


class Reduced(Counting):
    def __reduce__(self):
        return 5  # What it gives is no reduction.


class Made(Counting):
    """Made with an argument that its state does not say."""

    def __new__(cls, key):  # noqa: ARG004
        made = object.__new__(cls)
        made.n = 0
        return made

    def __init__(self, key):
        pass


class Wrapping(Counting):
    """Has a part that is no data."""

    def __init__(self):
        super().__init__()
        self.part = Counting()


class Telling(Counting):
    @property
    def total(self):
        return self.n
