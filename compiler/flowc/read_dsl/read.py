"""The text of a `.flow` file comes in, its tree goes out, with findings: the tree of the same flow in YAML.

    text ──split_lines──▶ logical lines ──Driver──▶ rules with their parts ──read_documents──▶ tree

The limits are those of the YAML reader: 4 MiB of text, 100 levels of the tree, and as many words as its
nodes hold. No text makes the reader raise, recurse by its depth, or take more than a time in proportion to
its length.
"""

import gc

from flowc.diagnostic import Diagnostic
from flowc.read_dsl.drive import Driver
from flowc.read_dsl.file import read_documents
from flowc.read_dsl.indents import tabs
from flowc.read_dsl.lines import Line, split_lines
from flowc.read_dsl.refusals import Findings, no_flow, yaml_in_dsl
from flowc.read_dsl.tables import load_tables
from flowc.read_yaml.source_text import foreign_characters
from flowc.span import Source, Span
from flowc.tree import Tree
from flowrt.pattern import pattern

_YAML = pattern(r"---|- |\{|(?:flowc|flow|use|inputs|events|actors|steps|graph|doc|defaults)[ \t]*:(?:\s|\Z)")
"""How a file begins that holds a flow in YAML."""


def read(source: Source) -> tuple[Tree, list[Diagnostic]]:
    """Reads the text of a `.flow` file. Never raises, whatever the text.

    Returns:
        The tree and the findings. Where `Tree.whole` is False something is missing in the tree, and stages
        after this one should not speak of what they cannot find.
    """
    if source.text.startswith("\ufeff"):
        source = Source(source.name, source.text[1:])
    found = foreign_characters(source)
    if found:
        return Tree(source, (), whole=False), found
    was_on = gc.isenabled()
    gc.disable()  # Nothing here makes cycles, and looking for them would take a third of the time.
    try:
        return _read(source)
    finally:
        if was_on:
            gc.enable()


def _read(source: Source) -> tuple[Tree, list[Diagnostic]]:
    lines, whole = split_lines(source.text)
    found = Findings(source)
    if lines and _YAML.match(source.text, lines[0].start):
        yaml_in_dsl(found, Span(lines[0].start, lines[0].end))
        return Tree(source, (), whole=False), found.diagnostics
    tabbed = next((line for line in lines if "\t" in source.text[line.indent : line.start]), None)
    if tabbed is not None:
        found.diagnostics.append(_tab(source, tabbed))
    driver = Driver(source, load_tables(), found.diagnostics)
    made = driver.run(lines)
    documents = read_documents(found, made)
    if not documents and driver.whole:
        no_flow(found)
        whole = False
    return Tree(source, documents, whole and driver.whole), found.diagnostics


def _tab(source: Source, line: Line) -> Diagnostic:
    at = source.text.index("\t", line.indent, line.start)
    return tabs(source, at, Span(at, at + 1).end)
