"""The tasks of the trip_booking flow: offices whose books are one file, a line for each entry.

The file is `bookings.jsonl` in the directory that TRAVEL_DIR names (the current one without it). The name of
an office in TRAVEL_CLOSED makes that office refuse, to see what becomes of the rest.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import flowrt


class OfficeClosed(Exception):
    """An office that takes no bookings today."""


class TooExpensive(Exception):
    """A trip that costs more than it may."""

    def __init__(self, cost: int, budget: int) -> None:
        super().__init__(f"the trip costs {cost} EUR, and it may cost {budget}")


@dataclass(frozen=True)
class Booking:
    """What an office has booked, for how many EUR; `key` is the same for every attempt to book it."""

    office: str
    person: str
    city: str
    cost: int
    key: str


@dataclass(frozen=True)
class Trip:
    """All bookings of a trip, and the receipt for them."""

    bookings: list[Booking]
    receipt: str


def _enter(do: str, what: str, person: str) -> None:
    path = Path(os.environ.get("TRAVEL_DIR", ".")) / "bookings.jsonl"
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"do": do, "what": what, "person": person}) + "\n")


def book(office: str, person: str, city: str, cost: int) -> Booking:
    """Book something. An office that sees a key for the second time would give the booking it has made."""
    if office == os.environ.get("TRAVEL_CLOSED"):
        raise OfficeClosed(f"the {office} office is closed")
    _enter("book", office, person)
    return Booking(office, person, city, cost, flowrt.current().idempotency_key)


def cancel(booking: Booking) -> None:
    """Take a booking back; to cancel what is cancelled is harmless."""
    _enter("cancel", booking.office, booking.person)


def pay(person: str, cost: int) -> str:
    """Charge the card, once at most: the flow calls it with `retry: never`."""
    if os.environ.get("TRAVEL_CLOSED") == "bank":
        raise OfficeClosed("the card was declined")
    _enter("pay", str(cost), person)
    return f"receipt of {person} for {cost} EUR"


def trip(bookings: list[Booking], receipt: str) -> Trip:
    """The result of the flow."""
    return Trip(bookings, receipt)
