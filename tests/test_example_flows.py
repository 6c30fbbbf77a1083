"""The examples that need no Ray run here with tasks in threads; all of them say the same in both syntaxes."""

import json
import os
from pathlib import Path

import pytest
from ir_equal import plain

import flowrt
from flowc.compile import checked_file, compile_file

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def play(name: str, store: Path, suffix: str = ".flow.yaml", **inputs: object) -> object:
    compiled = compile_file(EXAMPLES / name / f"{name}{suffix}")
    return flowrt.run(compiled.bind(**inputs), run_id="one", store=store, executor="local")


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch):
    """The module of an example, as the local executor finds it too."""

    def module(name: str, of: str):
        monkeypatch.syspath_prepend(str(EXAMPLES / of))
        return pytest.importorskip(name)

    return module


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_both_syntaxes_of_an_example_say_the_same(name: str) -> None:
    written = [checked_file(EXAMPLES / name / f"{name}{end}").file for end in (".flow.yaml", ".flow")]
    assert plain(written[0]) == plain(written[1])


def booked(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "bookings.jsonl").read_text().splitlines()
    return [(entry["do"], entry["what"]) for entry in map(json.loads, lines)]


@pytest.fixture
def travels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAVEL_DIR", str(tmp_path))
    monkeypatch.delenv("TRAVEL_CLOSED", raising=False)
    return tmp_path


def test_a_trip_that_can_be_had_is_booked_and_paid(travels: Path) -> None:
    trip = play("trip_booking", travels / "store", person="ann")
    assert trip.receipt == "receipt of ann for 750 EUR"
    assert [booking.office for booking in trip.bookings] == ["flight", "hotel", "car"]
    *both, car, paid = booked(travels)
    assert sorted(both) == [("book", "flight"), ("book", "hotel")]
    assert [car, paid] == [("book", "car"), ("pay", "750")]


@pytest.mark.parametrize(
    ("closed", "nights", "why", "undone"),
    [
        ("car", 3, "the car office is closed", 2),
        ("bank", 3, "the card was declined", 3),
        ("none", 9, "costs 1770 EUR", 3),
    ],
)
def test_a_trip_that_cannot_be_had_is_cancelled_in_reverse(
    travels: Path, monkeypatch: pytest.MonkeyPatch, closed: str, nights: int, why: str, undone: int
) -> None:
    monkeypatch.setenv("TRAVEL_CLOSED", closed)
    with pytest.raises(flowrt.RunFailed, match=why):
        play("trip_booking", travels / "store", ".flow", person="bob", nights=nights)
    done = booked(travels)
    ways = [("book", "flight"), ("book", "hotel"), ("book", "car")][:undone]
    assert sorted(done[:2]) == ways[:2]
    assert done[2:undone] == ways[2:]
    back = [what for _, what in done[undone:]]
    assert back[: undone - 2] == ["car"][: undone - 2]
    assert sorted(back[-2:]) == ["flight", "hotel"]
    assert {do for do, _ in done[undone:]} == {"cancel"}


def test_a_crawl_counts_what_a_walk_finds(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for folder in ("a/b/c", "a/d", "e"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "text").write_text("x" * len(folder))
    (tree / "a" / "round").symlink_to(tree)
    tally = play("folder_crawl", tmp_path / "store", folder=str(tree))
    walked = list(os.walk(tree))
    assert (tally.files, tally.folders) == (sum(len(files) for *_, files in walked), len(walked))
    assert (tally.bytes, tally.largest) == (9, (5, str(tree / "a/b/c/text")))


def test_a_crawl_goes_as_deep_as_it_may(tmp_path: Path) -> None:
    (tmp_path / "tree/a/b").mkdir(parents=True)
    tally = play("folder_crawl", tmp_path / "store", ".flow", folder=str(tmp_path / "tree"), depth=1)
    assert tally.folders == 2


def logs_in(folder: Path) -> str:
    folder.mkdir()
    (folder / "web.log").write_text("ERROR one\nfine\nERROR two\n")
    (folder / "disk.log").write_text("fine\n")
    (folder / "odd.log").write_bytes(b"\xff")
    return str(folder)


def test_a_night_is_reported(tmp_path: Path) -> None:
    report = play("nightly_report", tmp_path / "store", logs=logs_in(tmp_path / "logs"))
    assert report.errors == 2
    first, *rest = Path(report.path).read_text().splitlines()
    assert first.endswith(": 2 errors")
    assert rest == ["  disk.log: 0", "  web.log: 2", "  odd.log could not be read: UnicodeDecodeError"]


def test_too_many_errors_fail_the_night_behind_its_report(tmp_path: Path) -> None:
    with pytest.raises(flowrt.RunFailed, match="2 errors on"):
        play("nightly_report", tmp_path / "store", ".flow", logs=logs_in(tmp_path / "logs"), most=1)
    assert len(list((tmp_path / "logs").glob("report-*.txt"))) == 1


def test_training_degrades_to_cpus_at_the_epoch_that_does_not_fit(tmp_path: Path, monkeypatch, tasks) -> None:
    training = tasks("gpu_training_tasks", "gpu_training")
    epoch = training.train_epoch

    def too_large_from_the_third_on(checkpoint, device):
        if device == "cuda" and checkpoint.epoch == 2:
            raise training.OutOfGpuMemory("it does not fit")
        return epoch(checkpoint, device)

    monkeypatch.setattr(training, "count_gpus", lambda: 1)
    monkeypatch.setattr(training, "train_epoch", too_large_from_the_third_on)
    trained = play("gpu_training", tmp_path, target=0.01)
    assert trained.loss <= 0.01
    assert trained.devices == ["cuda"] * 2 + ["cpu"] * (trained.epoch - 2)
    assert trained.epoch > 3
