"""The colours of states: fill, line and text, each readable on a light and on a dark page."""

from collections.abc import Mapping

from flowc.draw.diagram import State
from flowrt.noun import noun


@noun
class Color:
    """The colours of a box. The fill is opaque and the text stands on it, so the page does not matter."""

    fill: str
    line: str
    text: str


PLAIN = Color("#f6f7f9", "#8a94a6", "#1b2330")
COLORS: Mapping[State, Color] = {
    "succeeded": Color("#d9f2df", "#2e9e52", "#0f3d1f"),
    "running": Color("#d8e8fd", "#2f73d9", "#0d2f63"),
    "waiting": Color("#fdf0cd", "#c98a06", "#4f3600"),
    "failed": Color("#fbdcdc", "#d03636", "#5c0f0f"),
    "stopped": Color("#e3e3e8", "#77778a", "#33333f"),
}
"""The colours of steps that a run has reached."""
