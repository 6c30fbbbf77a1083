"""Where the store is, and where callables are imported from."""

import pytest

from flowc.cli.places import StoreArguments, store_urls
from flowc.compile import compile_file
from flowc.config import BadConfig, python_path


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)
    monkeypatch.delenv("FLOWC_BLOBS", raising=False)


def args(store=None, blobs=None):
    return StoreArguments(store=store, blobs=blobs)


def test_the_store_is_sought_in_the_documented_order(tmp_path, monkeypatch):
    assert store_urls(args()) == (".flowc", None)
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\nstore = "runs"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    monkeypatch.chdir(inner)
    assert store_urls(args()) == (str(tmp_path / "runs"), None)
    monkeypatch.setenv("FLOWC_STORE", "from_variable")
    assert store_urls(args()) == ("from_variable", None)
    monkeypatch.setenv("FLOWC_BLOBS", "s3://bucket/x")
    assert store_urls(args("from_option")) == ("from_option", "s3://bucket/x")
    assert store_urls(args(blobs="here")) == ("from_variable", "here")


def test_a_url_in_the_project_file_is_kept(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\nstore = "postgresql://db/flows"\n')
    assert store_urls(args())[0] == "postgresql://db/flows"


def test_callables_come_from_the_configured_folders_or_the_flows_own(tmp_path, monkeypatch):
    flows = tmp_path / "flows"
    flows.mkdir()
    assert python_path(flows / "x.flow.yaml") == (str(flows), str(tmp_path))
    monkeypatch.chdir(flows)
    assert python_path(flows / "x.flow.yaml") == (str(flows),)
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\npython-path = ["src", "."]\n')
    assert python_path(flows / "x.flow.yaml") == (str(tmp_path / "src"), str(tmp_path), str(flows))


def test_a_compiled_file_looks_for_callables_where_the_command_does(tmp_path):
    flow = tmp_path / "flows" / "x.flow.yaml"
    flow.parent.mkdir()
    flow.write_text("flowc: 1\nflow: x\nsteps: []\n")
    assert compile_file(flow).python_path == (str(flow.parent), str(tmp_path))
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\npython-path = ["src"]\n')
    assert compile_file(flow).python_path == (str(tmp_path / "src"), str(tmp_path))
    assert compile_file(flow, python_path=["elsewhere"]).python_path == ("elsewhere",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.flowc\n", "cannot be read"),
        ("[tool.flowc]\nstore = 5\n", "`store`"),
        ('[tool.flowc]\nstore = ""\n', "`store`"),
        ("[tool.flowc]\npython-path = [1]\n", "`python-path`"),
        ("[tool.flowc]\npython-path = 1\n", "`python-path`"),
    ],
)
def test_mistakes_in_the_project_file_are_told(tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(BadConfig, match=said) as caught:
        store_urls(args())
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


def test_an_unreadable_project_file_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfig, match="cannot be read"):
        store_urls(args())
