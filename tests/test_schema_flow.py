"""The published schema of flow files is made of the tables of the reader, and never refuses what it accepts.

`FLOWC_UPDATE_GOLDEN=1 pytest tests/test_schema_flow.py` writes the schema anew.
"""

import json
import os
import random
import re
import runpy
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from random_flows import random_flow

from flowc.checks.check import check
from flowc.codes.table import CODES
from flowc.read_yaml.read import read_bytes
from flowc.resolve.file import resolve
from flowc.resolve.holdings import OPTION_MEANINGS
from flowc.resolve.keys import OPTIONS, STEPS
from flowc.schema.write import flow_schema_text
from flowc.tree import Mapping, Scalar, Sequence

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = files("flowc_schemas") / "flow.schema.json"
GOOD = [
    path
    for folder in ("tests/compile/ok", "examples", "docs/patterns")
    for path in sorted((ROOT / folder).rglob("*.flow.yaml"))
]
BAD = sorted((ROOT / "tests" / "compile" / "err").glob("*.flow.yaml"))
BROKEN = runpy.run_path(str(ROOT / "tests" / "corpus" / "broken.py"))["broken_flows"]
SCHEMA = json.loads(flow_schema_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def plain(node):
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {entry.key.text: plain(entry.value) for entry in node.entries}


def looked_at(data):
    """What the schema and what `validate` say of a file; None for one that is no whole tree."""
    tree, found = read_bytes("x.flow.yaml", data)
    documents = [plain(document.root) for document in tree.documents if document.root is not None]
    if not tree.whole or found:
        return None
    try:
        refused = [error for document in documents for error in VALIDATOR.iter_errors(document)]
    except RecursionError:
        return None  # `jsonschema` follows a document down; so deep a one is for `validate` alone.
    file, more = resolve(tree)
    findings = [*more, *(check(file, more) if file is not None else [])]
    return refused, [each for each in findings if each.severity == "error"]


def assert_agree(name, data, *, good=False):
    both = looked_at(data)
    if both is None:
        assert not good
        return False
    refused, errors = both
    assert not good or not errors, name
    if refused and not errors:
        said = "; ".join(f"{error.json_path}: {error.message[:200]}" for error in refused)
        raise AssertionError(f"{name}: the schema refuses what `validate` accepts: {said}\n{data.decode()}")
    return bool(refused)


def test_the_published_schema_is_fresh() -> None:
    path = ROOT / "schemas" / "flowc_schemas" / "flow.schema.json"
    if os.environ.get("FLOWC_UPDATE_GOLDEN"):
        path.write_text(flow_schema_text(), encoding="utf-8")
    assert PUBLISHED.read_text(encoding="utf-8") == flow_schema_text(), (
        "made anew by: FLOWC_UPDATE_GOLDEN=1 python -m pytest tests/test_schema_flow.py"
    )


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    references = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert references == set(SCHEMA["$defs"])


def test_every_option_has_a_meaning() -> None:
    assert set(OPTION_MEANINGS) == OPTIONS


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_good_files_pass(path) -> None:
    assert not assert_agree(path.name, path.read_bytes(), good=True)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name)
def test_what_the_schema_refuses_is_an_error(path) -> None:
    assert_agree(path.name, path.read_bytes())


def test_good_examples_of_rules_pass() -> None:
    for entry in CODES.values():
        if entry.syntax == "dsl":
            continue
        assert not assert_agree(entry.code, entry.good.encode())
        assert_agree(entry.code, entry.bad.encode())


def test_every_document_of_the_manual_passes() -> None:
    blocks = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            if "flow:" in block and "flowc: 1" in block:
                blocks += 1
                assert not assert_agree(page.name, block.encode())
    assert blocks


def test_generated_flows_pass() -> None:
    for seed in range(30):
        assert not assert_agree(str(seed), random_flow(seed).encode(), good=True)


def test_broken_files_that_it_refuses_are_errors() -> None:
    assert sum(assert_agree(name, data) for name, data in BROKEN() if len(data) < LONG) > 20


VALUES = [None, True, -1, 0, 1, 2.5, "", "x", "3", "30s", "x in xs", "t.f(x)", "${{ x }}", "a ${{ x }}"]
VALUES += [[], {}, ["x"], [1], {"x": 1}, [{"call": "t.f()"}], {"a": "t.f()"}, [[]], [None], {"do": "t.f()"}]
LONG = 5_000
WORDS = sorted({key for step in STEPS.values() for key in step.keys} | {"after", "step", "break", "è"})


def mutated(document, rng):
    """The document with one thing in it changed: a value, a key, or an entry that is new or gone."""
    places = list(containers(document))
    holder = rng.choice(places)
    if isinstance(holder, dict) and holder:
        key = rng.choice(list(holder))
        act = rng.randrange(4)
        if act == 0:
            del holder[key]
        elif act == 1:
            holder[rng.choice(WORDS)] = holder.pop(key)
        elif act == 2:
            holder[key] = deepcopy(rng.choice(VALUES))
        else:
            holder[rng.choice(WORDS)] = deepcopy(rng.choice(VALUES))
    elif isinstance(holder, list) and holder:
        holder[rng.randrange(len(holder))] = deepcopy(rng.choice(VALUES))
    return document


def containers(node):
    if isinstance(node, dict | list):
        yield node
        for inner in node.values() if isinstance(node, dict) else node:
            yield from containers(inner)


def test_mutated_flows_that_it_refuses_are_errors() -> None:
    rng = random.Random(7)
    texts = [path.read_text(encoding="utf-8") for path in GOOD] + [
        entry.good for entry in CODES.values() if entry.syntax == "yaml"
    ]
    trees = [read_bytes("x", text.encode())[0] for text in texts]
    sources = [[plain(document.root) for document in tree.documents] for tree in trees]
    rounds = int(os.environ.get("FLOWC_SCHEMA_ROUNDS", "600"))
    refused = 0
    for number in range(rounds):
        documents = json.loads(json.dumps(rng.choice(sources)))
        for _ in range(rng.choice([1, 1, 1, 2])):
            documents = mutated(documents, rng)
        text = "".join(f"---\n{json.dumps(document, ensure_ascii=False)}\n" for document in documents)
        refused += assert_agree(f"mutation {number}", text.encode())
    assert refused > rounds / 4
