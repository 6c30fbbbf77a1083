"""A flow file comes in, as bytes or text; its tree goes out, with findings. The name tells the syntax."""

from flowc.diagnostic import Diagnostic
from flowc.read_yaml import read as read_yaml
from flowc.span import Source
from flowc.tree import Tree

DSL_SUFFIX = ".flow"


def read_bytes(name: str, data: bytes) -> tuple[Tree, list[Diagnostic]]:
    """Read the bytes of a file in UTF-8: a `.flow` file is the DSL, everything else YAML."""
    if name.endswith(DSL_SUFFIX):
        from flowc.read_dsl.read import read_bytes as read_dsl_bytes  # noqa: PLC0415 - most files need only one

        return read_dsl_bytes(name, data)
    return read_yaml.read_bytes(name, data)


def read(source: Source) -> tuple[Tree, list[Diagnostic]]:
    """Read a text. Never raises, whatever the text."""
    if source.name.endswith(DSL_SUFFIX):
        from flowc.read_dsl.read import read as read_dsl  # noqa: PLC0415 - as above

        return read_dsl(source)
    return read_yaml.read(source)
