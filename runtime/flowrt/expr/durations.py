"""Durations and sizes: texts such as `1h30m`, `PT5M` and `512MiB` in; `timedelta`s and counts of bytes out.

A duration is a number and a unit (`w d h m s ms us`), or several from the largest unit to the smallest,
each unit once; or ISO 8601 without years and months, which have no length. Numbers may have decimals.
The sum is computed in whole microseconds, so that no text is rounded by floating point. Sizes are in
bytes, with the binary (`KiB`) and the decimal (`KB`) units.
"""

from datetime import timedelta

from flowrt.pattern import pattern

_US = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}

_BYTES = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGTP", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)},
}

_NUMBER = r"([0-9]+)(?:\.([0-9]+))?"
_PART = pattern(_NUMBER + "([a-z]+)")
_ISO_DATE = (("W", "w"), ("D", "d"))
_ISO_TIME = (("H", "h"), ("M", "m"), ("S", "s"))
_ISO = pattern(
    "P"
    + "".join(f"(?:{_NUMBER}{letter})?" for letter, _ in _ISO_DATE)
    + "(?:T(?=[0-9])"
    + "".join(f"(?:{_NUMBER}{letter})?" for letter, _ in _ISO_TIME)
    + ")?"
)
_SIZE = pattern(_NUMBER + r" ?([KMGTP]i?B|B)")
_LONGEST_TEXT = 100
_LONGEST = timedelta.max // timedelta(microseconds=1)


def parse_duration(text: str) -> timedelta | None:
    """The duration that a text names; None when it is not a duration, or longer than Python can hold."""
    text = text.strip()
    if not text or len(text) > _LONGEST_TEXT:
        return None
    total = _iso(text) if text.startswith("P") else _units(text)
    return None if total is None or total > _LONGEST else timedelta(microseconds=total)


def parse_size(text: str) -> int | None:
    """The number of bytes that a text such as `4GiB` names; None when it is not a size."""
    text = text.strip()
    found = _SIZE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    return None if found is None else _scaled(found[1], found[2], _BYTES[found[3]])


def format_duration(duration: timedelta) -> str:
    """The shortest text of a duration that `parse_duration` reads back, such as `1h30m`."""
    rest = duration // timedelta(microseconds=1)
    if rest < 0:
        return "-" + format_duration(-duration)
    if rest == 0:
        return "0s"
    parts: list[str] = []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _US[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _units(text: str) -> int | None:
    total, at, last = 0, 0, _LONGEST
    while at < len(text):
        found = _PART.match(text, at)
        unit = _US.get(found[3], _LONGEST) if found else _LONGEST
        if found is None or unit >= last:
            return None
        total += _scaled(found[1], found[2], unit)
        at, last = found.end(), unit
    return total


def _iso(text: str) -> int | None:
    found = _ISO.fullmatch(text)
    if found is None or text == "P":
        return None
    groups = found.groups()
    units = [unit for _, unit in (*_ISO_DATE, *_ISO_TIME)]
    return sum(
        _scaled(groups[2 * i], groups[2 * i + 1], _US[unit])
        for i, unit in enumerate(units)
        if groups[2 * i] is not None
    )


def _scaled(whole: str, decimals: str | None, unit: int) -> int:
    decimals = decimals or ""
    return int(whole + decimals) * unit // int(10 ** len(decimals))
