"""flowc: a declarative workflow compiler for Ray.

What a script needs is here, and is loaded when it is first asked for: `import flowc` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowc.compile import Compiled, InvalidFlow, UnknownFlow, compile_file

__all__ = ["Compiled", "InvalidFlow", "UnknownFlow", "compile_file"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("flowc.compile"), name)
    raise AttributeError(f"module 'flowc' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
