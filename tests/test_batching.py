"""Lanes: how many attempts travel together, and when they do not."""

from flowrt.executor.batching import MOST_BYTES, MOST_STEPS, SLOW_S, TARGET_S, Entry, Lane


def lane_of(count: int, **fields: object) -> Lane[int]:
    lane: Lane[int] = Lane({}, **fields)
    for number in range(count):
        lane.add(Entry(number, 10))
    return lane


def taken(lane: Lane[int], idle: int = 0) -> list[int]:
    return [entry.what for entry in lane.take(idle)]


def test_a_new_lane_takes_one() -> None:
    assert taken(lane_of(10)) == [0]


def test_size_doubles_up_to_what_fits() -> None:
    lane = lane_of(0)
    sizes = []
    for _ in range(12):
        lane.learn(lane.size, lane.size * 0.001, 0.001)
        sizes.append(lane.size)
    assert sizes[:4] == [2, 4, 8, 16]
    assert sizes[-1] == int(TARGET_S / 0.001)


def test_size_is_bounded_for_steps_that_take_no_time() -> None:
    lane = lane_of(0)
    for _ in range(20):
        lane.learn(lane.size, 0.0, 0.0)
    assert lane.size == MOST_STEPS


def test_one_slow_step_puts_the_size_back_at_once() -> None:
    lane = lane_of(0, size=256)
    lane.learn(256, 0.256 + SLOW_S, 2 * SLOW_S)
    assert lane.size == 1


def test_what_is_ready_is_spread_over_idle_slots() -> None:
    lane = lane_of(8, size=100)
    assert taken(lane, idle=4) == [0, 1]
    assert taken(lane, idle=3) == [2, 3]
    assert taken(lane, idle=0) == [4, 5, 6, 7]
    assert lane.ready == 0


def test_alone_is_alone() -> None:
    lane = lane_of(3, size=100, alone=True)
    assert [taken(lane), taken(lane), taken(lane), taken(lane)] == [[0], [1], [2], []]


def test_a_suspect_travels_alone() -> None:
    lane = lane_of(2, size=100)
    lane.add(Entry(7, suspect=True), first=True)
    lane.add(Entry(8, suspect=True))
    lane.add(Entry(9))
    assert [taken(lane), taken(lane), taken(lane), taken(lane)] == [[7], [0, 1], [8], [9]]


def test_what_was_dropped_is_not_taken() -> None:
    lane = lane_of(0, size=100)
    entries = [Entry(number) for number in range(4)]
    for entry in entries:
        lane.add(entry)
    lane.drop(entries[0])
    lane.drop(entries[2])
    assert lane.ready == 2
    assert taken(lane) == [1, 3]
    assert lane.ready == 0


def test_batches_are_bounded_in_bytes() -> None:
    lane: Lane[int] = Lane({}, size=100)
    for number, size in enumerate([MOST_BYTES * 2, MOST_BYTES // 2, MOST_BYTES // 2, 1]):
        lane.add(Entry(number, size))
    assert [taken(lane), taken(lane), taken(lane)] == [[0], [1, 2], [3]]


def test_what_is_under_way_is_bounded_by_what_the_cluster_has() -> None:
    assert lane_of(0).room(2) == 6
    assert lane_of(0, cpus=4.0).room(2) == 2
    assert lane_of(0, cpus=0.5).room(2) == 12
    assert lane_of(0, cpus=0.0).room(2) == 256
    assert lane_of(0, under_way=6).room(2) == 0
