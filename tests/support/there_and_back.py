"""A flow file through the other syntax and back: what must be the same on the way."""

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.rewrite import Rewritten, rewritten, syntax_of
from flowc.span import Source
from flowrt.encoding.pack import encode_program


def written(name, text, to):
    outcome = rewritten(Source(name, text), syntax_of(name), to)
    assert isinstance(outcome, Rewritten), f"{name}: {outcome}"
    return outcome.text


def programs(name, text):
    file, found = check_source(Source(name, text))
    if file is None or any(each.severity == "error" for each in found):
        return None
    return [encode_program(lower(file, flow.name.text)) for flow in file.flows]


def there_and_back(name, text):
    """Convert, convert back, format both; `rewritten` itself compares IR and comments each time."""
    other, to, home = ("x.flow.yaml", "yaml", "dsl") if name.endswith(".flow") else ("x.flow", "dsl", "yaml")
    there = written(name, text, to)
    back = written(other, there, home)
    assert written(other, there, to) == there, "what is converted is in canonical form"
    assert written(name, back, home) == back
    if "#" not in text:
        assert written(name, back, to) == there, "the second time there it looks the same"
    wanted = programs(name, text)
    if wanted is not None:
        assert programs(other, there) == wanted
        assert programs(name, back) == wanted
    return there
