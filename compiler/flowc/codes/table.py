"""All rules by their code, gathered from the files of the families."""

from collections.abc import Mapping
from types import MappingProxyType

from flowc.codes import dsl, expressions, names, reading, running, shape, time, uses
from flowc.codes.entry import Code

CODES: Mapping[str, Code] = MappingProxyType(
    {
        entry.code: entry
        for entry in sorted(
            (
                *reading.CODES,
                *dsl.CODES,
                *shape.CODES,
                *uses.CODES,
                *names.CODES,
                *running.CODES,
                *expressions.CODES,
                *time.CODES,
            ),
            key=lambda entry: entry.code,
        )
    }
)
"""Every rule, in the order of the codes."""
