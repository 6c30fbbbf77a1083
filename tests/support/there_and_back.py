"""A flow file through the other syntax and back: what must be the same on the way."""

from pathlib import Path

from flowc.link import Library
from flowc.linked import every_file
from flowc.lower.file import lower_linked
from flowc.rewrite import Rewritten, rewritten, syntax_of
from flowc.span import Source
from flowrt.encoding.pack import encode_program


def written(name, text, to):
    outcome = rewritten(Source(name, text), syntax_of(name), to)
    assert isinstance(outcome, Rewritten), f"{name}: {outcome}"
    return outcome.text


def programs(name, text, folder=Path()):
    """The programs of a file's flows; None when it has errors. What it uses is looked for in the folder."""
    linked = Library().link(str(folder / name), text.encode())
    found = [each for one in every_file(linked) for each in one.found]
    if linked.file is None or any(each.severity == "error" for each in found):
        return None
    return [encode_program(lower_linked(linked, flow.name.text)) for flow in linked.file.flows]


def there_and_back(name, text, folder=Path()):
    """Convert, convert back, format both; `rewritten` itself compares IR and comments each time."""
    other, to, home = ("x.flow.yaml", "yaml", "dsl") if name.endswith(".flow") else ("x.flow", "dsl", "yaml")
    there = written(name, text, to)
    back = written(other, there, home)
    assert written(other, there, to) == there, "what is converted is in canonical form"
    assert written(name, back, home) == back
    if "#" not in text:
        assert written(name, back, to) == there, "the second time there it looks the same"
    wanted = programs(name, text, folder)
    if wanted is not None:
        assert programs(other, there, folder) == wanted
        assert programs(name, back, folder) == wanted
    return there
