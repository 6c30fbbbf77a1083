"""What the command says when something is not as it should be: the words, whole."""

import pytest

from flowc.cli.main import main

TASKS = """
def lines():
    raise ValueError("one\\ntwo \\x1b[31mred")


def silent():
    raise KeyError


def chained():
    try:
        {}["a"]
    except KeyError as error:
        raise ValueError("no a") from error


def lock():
    import threading

    return threading.Lock()


def number():
    return 2
"""


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("messages")
    (folder / "flowc_cli_messages.py").write_text(TASKS)
    return folder


@pytest.fixture
def flowc(module_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(module_folder)
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))

    def call(*argv):
        capsys.readouterr()
        code = main(list(argv))
        streams = capsys.readouterr()
        assert "Traceback" not in streams.err
        return code, streams.out, streams.err

    return call


@pytest.fixture
def flow(module_folder):
    def write(steps, name="x.flow.yaml"):
        text = "flowc: 1\nuse: {t: flowc_cli_messages}\nflow: x\nsteps:\n"
        (module_folder / name).write_text(text + steps)
        return name

    return write


def failed(flowc, flow, task):
    code, out, err = flowc(
        "run", flow(f"  - call: t.{task}()\n"), "--id", "r", "--executor", "local", "--quiet"
    )
    assert (code, out) == (1, "")
    return err.splitlines()


def test_a_message_of_lines_is_indented_and_cannot_colour_the_terminal(flowc, flow):
    said = failed(flowc, flow, "lines")
    assert said[:3] == [
        "error: Run r failed at step `step#1`.",
        "  ValueError: one",
        "    two \ufffd[31mred",
    ]
    assert said[3].endswith('flowc_cli_messages.py", line 3, in lines')
    assert said[-1] == (
        "help: once the cause is mended, `flowc resume r --failed --executor local` continues the run"
    )


def test_an_exception_without_a_text_is_its_type(flowc, flow):
    assert failed(flowc, flow, "silent")[1] == "  KeyError"


def test_what_led_to_an_exception_is_told(flowc, flow):
    said = failed(flowc, flow, "chained")
    assert said[1] == "  ValueError: no a"
    assert "  KeyError: 'a'" in said
    assert "  The above exception was the direct cause of the following exception:" in said


def test_what_cannot_be_stored_is_told_in_a_sentence(flowc, flow):
    said = failed(flowc, flow, "lock")
    assert said[1].startswith("  flowrt.NotRecordable: The result of the step cannot be stored: A value of")
    assert len(said) == 3


OF_THE_FLOW = (
    "help: the flow itself comes to that, and a run keeps its flow and the values it has: "
    "mend the flow, or the task that gave the value, and start a new run"
)


@pytest.mark.parametrize(
    "steps",
    [
        "  - id: x\n    call: t.number()\n  - if: x\n    then:\n      - return: 1\n",
        "  - id: x\n    call: t.number()\n  - return: x / 0\n",
        "  - while: True\n    max: 2\n    do: t.number()\n",
    ],
    ids=["condition", "expression", "limit"],
)
def test_what_the_flow_itself_comes_to_is_not_promised_to_go_on(flowc, flow, steps):
    name = flow(steps)
    code, _, err = flowc("run", name, "--id", "r", "--executor", "local", "--quiet")
    assert (code, err.splitlines()[-1]) == (1, OF_THE_FLOW)
    assert OF_THE_FLOW.removeprefix("help: ") in flowc("why", "r")[1]


def test_a_run_that_its_flow_fails_is_not_promised_to_go_on(flowc, flow):
    code, _, err = flowc("run", flow("  - fail: no\n"), "--id", "r", "--executor", "local", "--quiet")
    said = "the flow says so by `fail`, and what led to it is recorded: start a new run"
    assert (code, err.splitlines()[-1]) == (1, f"help: {said}")
    assert said in flowc("why", "r")[1]


def test_warnings_of_the_file_are_shown_where_it_is_compiled(flowc, flow):
    name = flow("  - return: 1\n  - return: 2\n")
    for argv in (["compile", name], ["run", name, "--executor", "local"]):
        code, out, err = flowc(*argv)
        assert code == 0
        assert "warning[F0211]: this step is never reached" in err
        assert "1 warning in 1 file\n" in err
        assert "warning" not in out
    assert flowc("run", name, "--executor", "local", "--quiet") == (0, "1\n", "")


def test_a_python_file_is_no_flow_file(flowc):
    assert flowc("run", "flowc_cli_messages.py") == (
        2,
        "",
        "error: `flowc_cli_messages.py` is a Python file; name a flow file, such as "
        "`flowc_cli_messages.flow.yaml`.\n",
    )


@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5", ""])
def test_a_limit_is_a_number(flowc, given):
    code, _, err = flowc("list", f"--limit={given}")
    assert code == 2
    assert f"`{given}` is not a number from 1 on" in err


def test_no_count_of_files_when_none_could_be_read(flowc):
    code, out, err = flowc("validate", "missing.flow.yaml")
    assert (code, out) == (2, "")
    assert err == "error: The file `missing.flow.yaml` cannot be read: No such file or directory.\n"
