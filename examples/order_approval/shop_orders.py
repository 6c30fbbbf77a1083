"""The tasks of the order_approval flow: a shop whose stock and ledger are two files.

The files stand in the directory that SHOP_DIR names (the current one without it). Every change is one
appended line, so that what happened can be read, and counted.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import flowrt


@dataclass(frozen=True)
class Order:
    """An order: an item, how many of it, and the price of all in cents."""

    id: str
    item: str
    count: int
    cents: int


@dataclass(frozen=True)
class Hold:
    """Goods set aside for an order."""

    order: str
    item: str
    count: int


def _append(file: str, entry: dict[str, object]) -> None:
    path = Path(os.environ.get("SHOP_DIR", ".")) / file
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({**entry, "key": flowrt.current().idempotency_key}) + "\n")


def reserve(order: Order) -> Hold:
    """Set the goods aside."""
    _append("stock.jsonl", {"do": "reserve", "order": order.id, "item": order.item, "count": order.count})
    return Hold(order.id, order.item, order.count)


def release(hold: Hold) -> None:
    """Put the goods back."""
    _append("stock.jsonl", {"do": "release", "order": hold.order, "item": hold.item, "count": hold.count})


def charge(order: Order, hold: Hold) -> str:
    """Charge the customer for the goods set aside; the number of the receipt."""
    _append("ledger.jsonl", {"do": "charge", "order": hold.order, "cents": order.cents})
    return f"receipt-{order.id}"
