"""Programs and records to bytes and back: nothing is lost, bytes are canonical, damage is found."""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import os
import random
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest

from flowrt import calling
from flowrt import program as p
from flowrt import record as r
from flowrt import type_ref as ty
from flowrt import value as v
from flowrt.encoding import flat_form
from flowrt.encoding.classes import CLASSES
from flowrt.encoding.pack import decode_program, decode_record, encode_program, encode_record, program_digest
from flowrt.errors import CodecError, StoreCorrupt, StoreTooNew, WrongStoreKey
from flowrt.expr import tree as t

FAILURE = r.Failure("builtins.ValueError", "no ä", "loads[3].raw", "Traceback …", ("builtins.OSError",))
BLOB = v.Blob("ab" * 32, 1 << 40)
INLINE = v.Inline(b"\x11\x01")
COMPOSED = v.Fields(
    (
        ("items", v.Items((INLINE, BLOB, v.Element(BLOB, 3, 2)))),
        ("collected", v.Collected((INLINE,), (v.BodyError(1, v.Element(INLINE, 0), "T", "m"),))),
        ("literal", v.Literal(t.Const((1, dt.timedelta(seconds=1))))),
    )
)
NOW = 1_795_000_000_000_000

RECORDS = [
    r.Started(NOW, (("day", INLINE), ("fanout", BLOB))),
    r.Started(NOW, ()),
    r.Succeeded("loads[17].clean", INLINE, 1, NOW, NOW + 5),
    r.Succeeded("a", COMPOSED, 2, NOW, NOW),
    r.Failed("a", FAILURE, 3, NOW, NOW),
    r.Retrying("a", FAILURE, 3, NOW, NOW, NOW + 9, lost=True),
    r.Retrying("a", r.Failure("T", "m"), 1, NOW, NOW, NOW + 9),
    r.Stopped("a", NOW),
    r.Computed("a", INLINE),
    r.Decided("a", choice=True),
    r.Decided("a", choice=False),
    r.Expanded("a", 10**6, 32, 0, 0),
    r.Sleeping("a", NOW),
    r.Waiting("a", "approval", "k", NOW),
    r.Waiting("a", "approval", None, 0),
    r.Fired("a", NOW),
    r.Received("a", 77, INLINE),
    r.Emitted("a", "shipped"),
    r.CancelRequested(NOW, "by hand"),
    r.Reopened(NOW, tuple(range(100))),
    r.Reopened(NOW, ()),
    r.Ended(NOW, "succeeded", INLINE, None),
    r.Ended(NOW, "failed", None, FAILURE),
]
ADDED = [r.Begun("a", NOW), r.CancelRequested(NOW, "by hand", force=True)]
"""What came with the second version of the schema; what was there before keeps its form."""
SAGAS = [r.Reopened(NOW, (3,), ("trip.", "all[3].step#1."))]
"""What came with sagas."""


@pytest.mark.parametrize("record", [*RECORDS, *ADDED, *SAGAS], ids=lambda x: type(x).__name__)
def test_records_come_back(record):
    data = encode_record(record)
    assert decode_record(data) == record
    assert encode_record(decode_record(data)) == data


def test_a_record_of_a_small_step_is_small():
    record = r.Succeeded("loads[17].clean", v.Inline(b"x" * 100), 1, NOW, NOW + 1_000_000)
    assert len(encode_record(record)) <= 160


def test_texts_that_are_not_utf_8_come_back():
    record = r.Failed("a", r.Failure("builtins.OSError", "file \udcff", "a"), 1, NOW, NOW)
    assert decode_record(encode_record(record)) == record


def test_the_form_of_records_is_for_ever():
    digest = hashlib.sha256(b"".join(map(encode_record, RECORDS))).hexdigest()
    assert digest == "a791b9e20ac4ad1eab5f8ed2559c3cc2faeca74c33169649555918b157a4809c"
    added = hashlib.sha256(b"".join(map(encode_record, ADDED))).hexdigest()
    assert added == "ea96ba511023e1d94f9f72e51b45dbf5135342990ddf97f9c2aa39ba285cab2d"
    assert (
        hashlib.sha256(encode_record(SAGAS[0])).hexdigest()
        == "aa16e0ae206820816ae3eed6cfc7589bc8d9f045c6fb6b84f71fb8c1f088d5db"
    )


# Programs


def name(text):
    return t.Name(text)


EXPRESSIONS = [
    *(
        t.Const(c)
        for c in (None, True, 1, -(2**63), 2**63, 10**40, 1.5, "ä", "\udcff", b"b", (1, ("a", None)))
    ),
    *(
        t.Const(c)
        for c in ([1, {"a": 2}], {"k": [3]}, {1, 2}, dt.timedelta(hours=1), dt.date(2026, 1, 1), range(3))
    ),
    t.Attribute(name("a"), "b"),
    t.Index(name("a"), t.Slice(t.Const(1), None, t.Unary("-", t.Const(1)))),
    t.Binary("**", name("a"), t.Const(2)),
    t.Compare(t.Const(1), (("<", name("x")), ("not in", name("y")))),
    t.Logic("and", (name("a"), t.Unary("not", name("b")))),
    t.IfElse(name("a"), name("b"), name("c")),
    t.ListOf((t.TupleOf(()), t.SetOf((name("a"),)), t.DictOf(((t.Const("k"), name("v")),)))),
    t.FString(("text", t.Field(name("a"), "r", t.FString((">", t.Field(name("w"), "", None)))))),
    t.Comprehension(
        "dict",
        name("k"),
        name("v"),
        (t.Clause(("k", ("v", "w")), name("xs"), (name("c"),)), t.Clause("q", name("q"), ())),
    ),
    t.Call(name("len"), (name("a"),), (t.Keyword("key", t.Const(1)),)),
]
RETRY = p.Retry(
    t.Const(4), t.Const(dt.timedelta(seconds=1)), t.Const(2), t.Const(60), "none", ("a:B",), (), t.Const(9)
)
INNER = p.Body(
    (p.Node("x", p.Compute(name("i")), (("i", p.Param("i")),)),), p.Out(0), (("x", p.Out(0, "f")),), "finish"
)
OPERATIONS = [
    p.Task(p.Imported("shop.etl:extract"), (name("a"),), (("n", t.Const(2)),), t.DictOf(()), RETRY, t.Const(1), True, 0),  # noqa: E501
    p.Task(p.Pickled("cd" * 32, "f")),
    p.Compute(name("a")),
    p.Sample("uuid"),
    p.Branch(name("a"), INNER, INNER),
    p.Branch(name("a"), INNER),
    p.ForEach("i", "items", INNER, t.Const(3), "collect", t.Const(1), t.Const(2), ("acc",), False),
    p.ForEach("i", "items", INNER),
    p.Loop("until", name("c"), INNER, ("a",), INNER, t.Const(9), t.Const(dt.timedelta(1))),
    p.Sleep(t.Const(dt.timedelta(minutes=10))),
    p.Sleep(None, name("t")),
    p.Wait("approval", name("k"), name("m"), t.Const(1), INNER),
    p.Emit("shipped", None, name("x")),
    p.Block(INNER, True),
    p.CallFlow("other", (("a", "b"),)),
    p.Leave("tail", None, "other", (("a", "b"),)),
    p.Leave("return", "v"),
    p.Fail(t.FString(("no",))),
]  # fmt: skip


def whole_program():
    nodes = [p.Node(f"e{i}", p.Compute(e)) for i, e in enumerate(EXPRESSIONS)]
    nodes += [
        p.Node(f"o{i}", op, (("a", p.Out(i)), ("b", p.Param("b"))), (i, i + 1))
        for i, op in enumerate(OPERATIONS)
    ]
    inputs = (
        ty.Input("day", ty.TypeRef("date")),
        ty.Input(
            "n",
            ty.TypeRef("|", (ty.TypeRef("int"), ty.TypeRef("None"))),
            t.Const(1),
            "doc",
            t.Const(0),
            t.Const(9),
            t.Const([1]),
        ),
    )
    main = p.Flow(
        "main", p.Body(tuple(nodes), p.Out(3)), inputs, ty.TypeRef("any"), (("team", "x"),), t.Const(1)
    )
    return p.Program({"main": main, "other": p.Flow("other", INNER)}, "main", {"cd" * 32: b"code"})


def test_programs_come_back_without_their_code():
    program = whole_program()
    back = decode_program(encode_program(program))
    assert back == program
    assert dict(back.code) == {}


TAKEN_BACK = p.Task(p.Imported("shop.etl:load"), undo=p.Undo(INNER, "a", ("i", "b"), ("b",)))
SAGA = p.Flow("f", p.Body((p.Node("s", p.Saga(p.Body((p.Node("a", TAKEN_BACK, (("b", p.Param("b")),)),)))),)))


def test_sagas_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": SAGA}, "f")
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "604b13a6d6440a255890ae4c98be357c319e534a0908f841479aa1d8f9347fb6"


EITHER = p.Body((p.Node("e", p.Compute(t.Const(1))),), p.Out(0))
CHOICES = p.Flow(
    "f",
    p.Body(
        (
            p.Node("s", p.Switch(t.Name("x"), (p.Case((t.Const("a"), t.Const(2)), EITHER),), EITHER)),
            p.Node("r", p.Race((p.RaceBranch("a", EITHER), p.RaceBranch("b", EITHER)), t.Name("n"), "drop")),
            p.Node("q", p.Race((p.RaceBranch("a", EITHER),))),
        )
    ),
)


CHOSEN = [r.Chosen("a", -1), r.Chosen("a", 3)]


def test_choices_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": CHOICES}, "f")
    assert [decode_record(encode_record(record)) for record in CHOSEN] == CHOSEN
    form = hashlib.sha256(b"".join(map(encode_record, CHOSEN))).hexdigest()
    assert form == "9dd45b07cb194690416494b0aa8aa88f08e01efaae1c7c93117062ff2be96065"
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "83ce98f2f4205c2fcf64dfb858e33ac8070807a9907e8b258537e6aa1767156a"


STARTING = p.Flow(
    "f",
    p.Body(
        (
            p.Node("n", p.Sleep(None, None, t.Const("0 9 * * *"), name("tz")), (("tz", p.Param("tz")),)),
            p.Node("s", p.Start("f", (("tz", "tz"),)), (("tz", p.Param("tz")),)),
        )
    ),
)
STARTS = [r.Detached("a", "child-0123456789abcdef")]


def test_starts_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": STARTING}, "f")
    assert [decode_record(encode_record(record)) for record in STARTS] == STARTS
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "e9780a7e0371a3fa34e65b97dbc38afc7741a6f1c821e37fa82dc8b2ea2f74f0"


BOUND = p.Retry(t.Const(2), t.Const(1), t.Const(2), t.Const(60), catch=("builtins:OSError",))
TRIED = p.Flow(
    "f",
    p.Body(
        (
            p.Node(
                "t",
                p.Try(
                    EITHER,
                    (p.Catch(("builtins:OSError",), "e", p.Body((p.Node("r", p.Rethrow("e")),))),),
                    EITHER,
                ),
            ),
            p.Node("u", p.Try(EITHER)),
            p.Node("b", p.Bounded(EITHER, t.Const(5), BOUND)),
        )
    ),
)
ENTERED = [r.Entered("a", 1, NOW), r.Entered("a", 2, NOW, NOW + 5)]


def test_tries_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": TRIED}, "f")
    assert [decode_record(encode_record(record)) for record in ENTERED] == ENTERED
    form = hashlib.sha256(b"".join(map(encode_record, ENTERED))).hexdigest()
    assert form == "36df4827bc63d0c6d28229fe8a780db037d40962d07fbdf7a128932fba547476"
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "92063773c75972e0484afa41106d464119ca747177e8f96fe3ab5b5a8f46f5f1"


LOCKING = p.Flow(
    "f",
    p.Body(
        (
            p.Node("l", p.Lock("gpu", EITHER, t.Name("n")), (("n", p.Param("n")),)),
            p.Node("m", p.Lock("gpu", EITHER)),
        )
    ),
)
LOCKED = [r.Queued("a", "gpu", 2), r.Locked("a"), r.Unlocked("a")]


def test_locks_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": LOCKING}, "f")
    assert [decode_record(encode_record(record)) for record in LOCKED] == LOCKED
    form = hashlib.sha256(b"".join(map(encode_record, LOCKED))).hexdigest()
    assert form == "65742335f6bc32c43ea4b89aa7ac9418650626f395c7c0ef64b809cc7457949e"
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "2263cf78bdb07093bed7fe205a15bbf90df6509202b4a3baae00db21a7a5d528"


ACTING = p.Flow(
    "f",
    p.Body(
        (p.Node("c", p.Task(p.Imported("m:C"), actor=p.Actor(t.Name("k"), "f")), (("k", p.Param("k")),)),)
    ),
)


def test_methods_of_actors_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": ACTING}, "f")
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "8aa02170c28d89951890195142e2d33a8189126d3313fa5cd933a7ad1043d833"


CACHING = p.Flow(
    "f",
    p.Body((p.Node("c", p.Task(p.Imported("m:f"), cache=p.Cache(t.Const("k"), t.Const(dt.timedelta(7))))),)),
)


def test_caches_come_back_and_their_form_is_for_ever():
    program = p.Program({"f": CACHING}, "f")
    assert decode_program(encode_program(program)) == program
    assert program_digest(program) == "bfa56183e071d9cc44ab6e6fe2d563cd2b6c3778bc9a24105810b95758466d0f"


def test_every_class_is_written_somewhere_in_these_tests():
    seen = set()

    def look(noun):
        if dataclasses.is_dataclass(noun):
            seen.add(type(noun))
            for field in dataclasses.fields(noun):
                look(getattr(noun, field.name))
        elif isinstance(noun, tuple | list):
            for part in noun:
                look(part)

    look([*RECORDS, *ADDED])
    look(list(whole_program().flows.values()))
    look([SAGA, ACTING])
    look([CHOICES, *CHOSEN])
    look([STARTING, *STARTS])
    look([TRIED, *ENTERED])
    look([LOCKING, *LOCKED, CACHING])
    assert {cls for cls in CLASSES.values() if cls.__name__ != "Library"} <= seen


def test_every_noun_of_programs_records_and_values_has_a_number():
    nouns = {
        cls
        for module in (p, calling, r, v, t, ty)
        for cls in vars(module).values()
        if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == module.__name__
    }
    assert nouns - set(CLASSES.values()) == {p.Program}


def test_positions_and_the_order_of_flows_do_not_count():
    program = whole_program()
    flows = dict(reversed(program.flows.items()))
    assert program_digest(dataclasses.replace(program, flows=flows)) == program_digest(program)
    here = p.Program({"f": p.Flow("f", p.Body((p.Node("a", p.Compute(t.Name("x", (5, 6)))),)))}, "f")
    there = p.Program({"f": p.Flow("f", p.Body((p.Node("a", p.Compute(t.Name("x", (9, 10)))),)))}, "f")
    assert program_digest(here) == program_digest(there)


def test_what_counts_changes_the_digest():
    def digest(**changes):
        node = p.Node("a", p.Task(p.Imported("m:f"), **changes))
        return program_digest(p.Program({"f": p.Flow("f", p.Body((node,)))}, "f"))

    variants = [{}, {"args": (t.Const(0),)}, {"args": (t.Const(False),)}, {"args": (t.Const(0.0),)}]
    variants += [
        {"args": (t.Const(""),)},
        {"args": (t.Const(b""),)},
        {"args": (t.Const(()),)},
        {"args": (t.Const([]),)},
    ]
    variants += [{"raises": True}, {"lost_max": 4}, {"kwargs": (("a", t.Const(None)),)}]
    assert len({digest(**changes) for changes in variants}) == len(variants)


def test_the_digest_is_for_ever():
    assert (
        program_digest(data_program()) == "16a09047d30dbf48f0f0174096b9e6e7c24308503325d4eb0368a5ef2f9fa4aa"
    )


def data_program():
    """The program without the one constant that only pickle can write."""
    program = whole_program()
    main = program.flows["main"]
    nodes = tuple(n for n in main.body.nodes if n.op != p.Compute(t.Const("\udcff")))
    flow = dataclasses.replace(main, body=dataclasses.replace(main.body, nodes=nodes))
    return p.Program({**program.flows, "main": flow}, "main")


def test_the_digest_is_the_same_in_every_process():
    text = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('test_pack', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "print(module.program_digest(module.data_program()))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", text, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "4")
    }
    assert digests == {program_digest(data_program()) + "\n"}


def test_constants_that_are_no_data_come_back():
    program = p.Program({"f": p.Flow("f", p.Body((p.Node("a", p.Compute(t.Const(np.arange(5)))),)))}, "f")
    [node] = decode_program(encode_program(program)).flows["f"].body.nodes
    assert node.op.expr.value.tolist() == [0, 1, 2, 3, 4]


def test_depth_is_no_matter():
    body, expr = p.Body(()), t.Const(1)
    for _ in range(3_000):
        body = p.Body((p.Node("a", p.Block(body)),))
        expr = t.Unary("not", expr)
    program = p.Program({"f": p.Flow("f", body, timeout=expr)}, "f")
    data = encode_program(program)
    assert encode_program(decode_program(data)) == data


def test_a_program_of_10_000_nodes_takes_less_than_half_a_second():
    def node(i):
        task = p.Task(
            p.Imported("shop.etl:extract"), (name("part"), t.Const(i)), (("day", name("day")),), retry=RETRY
        )
        return p.Node(
            f"step#{i}", task, (("part", p.Out(i - 1) if i else p.Param("x")), ("day", p.Param("day")))
        )

    program = p.Program({"f": p.Flow("f", p.Body(tuple(map(node, range(10_000)))))}, "f")
    started = time.process_time()
    data = encode_program(program)
    assert time.process_time() - started < 0.5
    started = time.process_time()
    back = decode_program(data)
    assert time.process_time() - started < 1
    assert back == program


# Versions and damage


def test_a_field_that_holds_its_default_is_not_written():
    short = encode_record(r.Retrying("a", r.Failure("T", "m"), 1, 2, 3, 4))
    assert len(short) < len(encode_record(r.Retrying("a", r.Failure("T", "m"), 1, 2, 3, 4, lost=True)))
    assert len(short) < len(encode_record(r.Retrying("a", r.Failure("T", "m", "", "", ("c",)), 1, 2, 3, 4)))


def test_an_unknown_version_says_upgrade():
    with pytest.raises(StoreTooNew, match="Upgrade"):
        decode_record(b"\x02" + encode_record(RECORDS[0])[1:])


def test_more_fields_than_known_say_upgrade(monkeypatch):
    data = encode_record(r.Retrying("a", FAILURE, 1, 2, 3, 4, lost=True))
    form = flat_form._FORMS[r.Retrying]
    monkeypatch.setitem(flat_form._BY_CODE, form.code, dataclasses.replace(form, count=form.count - 1))
    with pytest.raises(StoreTooNew, match="Upgrade"):
        decode_record(data)


def test_a_program_is_no_record_and_a_record_no_program():
    with pytest.raises(StoreCorrupt, match="Library"):
        decode_record(encode_program(whole_program()))
    with pytest.raises(StoreCorrupt, match="Decided"):
        decode_program(encode_record(r.Decided("a", choice=True)))


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" * 5, b"\x01" * 40, b"junk" * 100])
def test_junk_is_damage(data):
    with pytest.raises(StoreCorrupt):
        decode_record(data)
    with pytest.raises(StoreCorrupt):
        decode_program(data)


def test_every_flipped_bit_and_every_cut_of_a_record_is_found():
    data = encode_record(RECORDS[4])
    for at in range(len(data)):
        for bit in range(8):
            bad = bytearray(data)
            bad[at] ^= 1 << bit
            with pytest.raises((StoreCorrupt, StoreTooNew)):
                decode_record(bytes(bad))
        with pytest.raises(StoreCorrupt):
            decode_record(data[:at])


def test_damage_under_a_right_checksum_is_still_only_our_error():
    data = encode_program(whole_program())
    rng = random.Random(5)
    for _ in range(1_000):
        body = bytearray(data[5:])
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        with contextlib.suppress(StoreCorrupt, StoreTooNew, WrongStoreKey, CodecError):
            decode_program(b"\x01" + zlib.crc32(body).to_bytes(4, "big") + bytes(body))
