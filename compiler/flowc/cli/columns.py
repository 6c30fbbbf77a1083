"""Rows of text as a table. In: a head and rows. Out: lines whose columns stand below each other."""

from collections.abc import Sequence


def align(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table, two spaces between columns; characters that would disturb the terminal become `?`."""
    table = [list(head), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _shown(cell: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in cell.replace("\n", " "))
