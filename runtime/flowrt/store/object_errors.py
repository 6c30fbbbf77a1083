"""Errors of object stores to flowrt's own. In: what obstore raises; out: whether to try again; a sentence.

obstore's messages end in a dump of its inner state, and hold the address with its query, where a store
may expect its signature. What is shown is the server's own code and message, or the first line without
any query.

obstore says "already exists" for every answer 409, also for the one by which S3 says that another write
to the key is under way and that this one should be made again. So whoever is told so has to look.
"""

import re
from typing import TypeAlias

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from flowrt.errors import StoreUnavailable

ObjectError: TypeAlias = BaseError | OSError | ValueError
OBJECT_ERRORS: tuple[type[Exception], ...] = (BaseError, OSError, ValueError)
"""All that a call of obstore may raise."""

_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_QUERY = re.compile(r"\?\S*")
_LONGEST = 300

_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"})
_HOPELESS = _NO_BUCKET | _KEYS | {"AccessDenied", "AllAccessDisabled", "AuthorizationHeaderMalformed"}


def code_of(error: Exception) -> str:
    """The code that the server gave, such as `NoSuchBucket`; empty when it gave none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def no_bucket(error: Exception) -> bool:
    """Whether it is the bucket that is not there."""
    return code_of(error) in _NO_BUCKET


def is_hopeless(error: Exception) -> bool:
    """Whether the same request would fail again a moment later."""
    text = str(error)
    return (
        isinstance(error, PermissionDeniedError | UnauthenticatedError | ValueError)
        or code_of(error) in _HOPELESS
        or "redirect" in text
        or "169.254.169.254" in text
    )


def unavailable(doing: str, place: str, error: Exception) -> StoreUnavailable:
    """The error to raise, with the way out where one is known."""
    advice = _advice(error)
    return StoreUnavailable(
        f"The place for values {place} failed when flowc tried to {doing}: {_reason(error)}."
        + (f" {advice}" if advice else "")
    )


def _reason(error: Exception) -> str:
    text = str(error)
    code, message = code_of(error), _MESSAGE.search(text)
    if code:
        return f"{code}: {message[1].rstrip('.')}" if message else code
    first = _QUERY.sub("", text.partition("\n")[0]).strip().rstrip(":.")
    return first[:_LONGEST] or type(error).__name__


def _advice(error: Exception) -> str:
    text, code = str(error), code_of(error)
    advice = (
        (code in _NO_BUCKET, "Make the bucket, or name another place with --blobs or FLOWC_BLOBS."),
        (
            "169.254.169.254" in text or "Missing AccessKeyId" in text,
            "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, here and where the "
            "tasks run, or give these machines a role.",
        ),
        (
            code in _KEYS or isinstance(error, UnauthenticatedError),
            "The credentials are not accepted: see that they are set, here and where the tasks run.",
        ),
        (
            isinstance(error, PermissionDeniedError) or code == "AccessDenied",
            "The credentials need the right to read, write, list and delete objects there.",
        ),
        (
            "redirect" in text or code == "AuthorizationHeaderMalformed",
            "The bucket is in another region: set AWS_REGION to it.",
        ),
        (
            "error sending request" in text,
            "Look at the network, and at AWS_ENDPOINT_URL if the store is not Amazon's.",
        ),
    )
    return next((sentence for applies, sentence in advice if applies), "")
