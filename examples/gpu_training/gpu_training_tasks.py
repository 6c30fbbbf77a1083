"""The tasks of the gpu_training flow: a line is fitted to points, an epoch at a time.

The model is two numbers and its arithmetic plain Python, so that the flow runs anywhere. A model of yours
would be moved to `device` at the start of `train_epoch`, and its weights be part of the checkpoint.
"""

from dataclasses import dataclass

import ray

import flowrt

POINTS = [(x / 10, 3 * x / 10 - 1) for x in range(-10, 11)]
"""Points of the line y = 3x - 1."""


class OutOfGpuMemory(Exception):
    """The model does not fit on the GPU; what a framework raises for it is raised as this."""


@dataclass(frozen=True)
class Checkpoint:
    """The model after so many epochs: slope and height of the line, the loss, the device of each epoch."""

    epoch: int
    slope: float
    height: float
    loss: float
    devices: list[str]


def count_gpus() -> int:
    """How many GPUs the cluster has: a step that asks for one where there is none would wait for ever."""
    return int(ray.cluster_resources().get("GPU", 0)) if ray.is_initialized() else 0


def fresh() -> Checkpoint:
    """A model that has learnt nothing."""
    return Checkpoint(0, 0.0, 0.0, float("inf"), [])


def train_epoch(checkpoint: Checkpoint, device: str) -> Checkpoint:
    """The model after one pass over the points; `flowrt.heartbeat` tells that it is alive."""
    slope, height = checkpoint.slope, checkpoint.height
    for x, y in POINTS:
        error = slope * x + height - y
        slope -= 0.1 * error * x
        height -= 0.1 * error
    flowrt.heartbeat()
    loss = sum((slope * x + height - y) ** 2 for x, y in POINTS) / len(POINTS)
    return Checkpoint(checkpoint.epoch + 1, slope, height, loss, [*checkpoint.devices, device])
