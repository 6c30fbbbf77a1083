"""Tasks of the benchmarks."""


def hello(name: str) -> str:
    return f"Hello, {name}!"


def trivial(n: int) -> int:
    return n + 1


def refused(n: int) -> int:
    raise ValueError(f"{n} is refused")
