"""A flow file comes in, as bytes or text; its tree goes out, with findings. The name tells the syntax."""

from flowc.diagnostic import Diagnostic
from flowc.read_yaml import read as read_yaml
from flowc.read_yaml.source_text import decode
from flowc.span import Source, Span
from flowc.tree import Tree
from flowrt.pattern import pattern

DSL_SUFFIX = ".flow"
_DSL = pattern(
    r"(?:\s|#[^\n]*\n)*"
    r"((?:use[ \t]+[^\s:]+[ \t]+as[ \t]|flow[ \t]+\w+[ \t]*\(|event[ \t]+\w+[ \t]*[(:]|actor[ \t]+\w+[ \t]*:)"
    r"[^\n]*)"
)


def read_bytes(name: str, data: bytes) -> tuple[Tree, list[Diagnostic]]:
    """Read the bytes of a file in UTF-8: a `.flow` file is the DSL, everything else YAML."""
    source, findings = decode(name, data)
    if findings:
        return Tree(source, (), whole=False), findings
    return read(source)


def read(source: Source) -> tuple[Tree, list[Diagnostic]]:
    """Read a text. Never raises, whatever the text."""
    if source.name.endswith(DSL_SUFFIX):
        from flowc.read_dsl.read import read as read_dsl  # noqa: PLC0415 - most files are YAML, and need it not

        return read_dsl(source)
    dsl = _DSL.match(source.text)
    if dsl is not None:
        return Tree(source, (), whole=False), [_dsl_in_yaml(source, Span(*dsl.span(1)))]
    return read_yaml.read(source)


def _dsl_in_yaml(source: Source, line: Span) -> Diagnostic:
    better = source.name.removesuffix(".yaml") if source.name.endswith(".flow.yaml") else "NAME.flow"
    return Diagnostic(
        "F0033",
        "this is a flow in the DSL, and the file is read as YAML",
        source,
        line,
        help=f"name the file `{better}`",
    )
