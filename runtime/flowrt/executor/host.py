"""In the actor of listeners: the bytes of a job with one attempt go in, those of its reply come out.

All listeners of one code share an actor, for a process has one module of a name. Each call of it is a
coroutine, and they wait side by side. As `flowrt.executor.worker`, this imports no Ray.
"""

from typing import cast

from flowrt.encoding.values import Values
from flowrt.executor.attempt import listen
from flowrt.executor.held import HeldBlobs, Kept
from flowrt.executor.wire import Reply, pack_reply, unpack_job, unpickled
from flowrt.store.port import Blobs


class ListenerHost:
    """The actor."""

    async def listen(self, job: bytes, *held: Kept) -> tuple[bytes, Kept | None]:
        """Make the attempt of a job; the second value holds its event if that is large."""
        _, packed_blobs, attempts = unpack_job(job)
        blobs = HeldBlobs(cast("Blobs", unpickled(packed_blobs)))
        blobs.hold(held)
        (attempt,) = attempts
        outcome = await listen(attempt, Values(blobs))
        kept = blobs.take()
        sizes = [(digest, len(data)) for digest, data in kept] if kept is not None else []
        return pack_reply(Reply([outcome], sizes, 0.0, 0.0, printed=False)), kept
