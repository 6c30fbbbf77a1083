"""The schema of flow files comes in; its text goes out, as it stands in the package of schemas."""

import json

from flowc.schema.flow import flow_schema


def flow_schema_text() -> str:
    """The text of `flow.schema.json`."""
    return json.dumps(flow_schema(), indent=2, ensure_ascii=False) + "\n"
