"""The desk of a team: what people are told, and the days off that are entered."""


def tell(person: str, text: str) -> None:
    """Tell those who decide; here, whoever looks at the terminal."""
    print(f"[{person}] {text}", flush=True)


def enter(person: str, days: int) -> int:
    """Enter the days; how many there are."""
    print(f"[{person}] {days} days off are entered", flush=True)
    return days
