"""Whether an object is part of a value. In: a value that is pickled, and an object; out: yes or no.

The value is pickled into nowhere, and what is pickled on the way is looked at. Data are not pickled, and
have no parts but data.
"""

import pickle

import cloudpickle  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from flowrt.encoding.data_shape import unfit


class _Found(BaseException):
    """The object is part of the value. Not to be caught by the value's own code."""


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


class _Looking(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles until it comes to the object."""

    def __init__(self, sought: object) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=_no_copy)  # pyright: ignore[reportUnknownMemberType]
        self._sought = sought

    def persistent_id(self, obj: object) -> None:
        if obj is self._sought:
            raise _Found


def _no_copy(_: pickle.PickleBuffer) -> None:
    """Leave large buffers where they are."""


def reaches(value: object, sought: object) -> bool:
    """Whether the object is part of the value. What cannot be pickled is for whoever stores it to tell."""
    if unfit(value) is None:
        return False
    try:
        _Looking(sought).dump(value)  # pyright: ignore[reportUnknownMemberType]
    except _Found:
        return True
    except Exception:  # noqa: BLE001 - pickling runs the value's own code
        return False
    return False
