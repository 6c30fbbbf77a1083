"""What a JSON document is, to those who write one."""

from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A JSON value."""

Schema: TypeAlias = dict[str, Json]
"""A JSON Schema as an object."""
