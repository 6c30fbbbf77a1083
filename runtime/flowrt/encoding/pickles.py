"""Whether this process pickles and unpickles. In: the environment; out: yes or no.

`FLOWC_CODEC=data` says no: then what is stored is data alone, nothing that was stored is ever run by being
read, and a value of another type is an error where it arises. The variable is looked at only when a
pickle is met, so it costs nothing where there is none. Workers may have another environment: for them the
answer travels with each attempt (`RunFacts.allow_pickle`).
"""

import os

from flowrt.errors import CodecError

CODEC_VARIABLE = "FLOWC_CODEC"
CODECS = ("pickle", "data")
"""The values of the variable: data and pickles (also when it is not set), or data alone."""


def pickles_allowed() -> bool:
    """Whether values that are no data may be pickled and read. Raises CodecError for a wrong setting."""
    codec = os.environ.get(CODEC_VARIABLE) or "pickle"
    if codec not in CODECS:
        raise CodecError(
            f"{CODEC_VARIABLE} is `{codec}`; it may be `data` (nothing is pickled) or `pickle` (what is no "
            "data is pickled, which is also the case when it is not set)."
        )
    return codec == "pickle"
