"""Tasks that are careless with a secret in every way that is known."""

import base64
import json
import logging
import os
import subprocess
import sys
import urllib.parse
from pathlib import Path

import numpy as np


def forms(secret):
    data = secret.encode()
    return [
        secret,
        repr(secret),
        repr([secret]),
        json.dumps({"key": secret}),
        data.hex(),
        base64.b64encode(data).decode(),
        base64.b64encode(b"u:" + data + b"!").decode(),
        base64.urlsafe_b64encode(b"user:" + data).decode(),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        urllib.parse.quote(secret, safe=""),
        secret.upper(),
        repr(data),
    ]


class Careless(Exception):
    pass


def prints(secret, everything):
    for form in forms(secret):
        print("printed", form)
        print("warned", form, file=sys.stderr)
        logging.getLogger("tasks").warning("logged %s", form)
        sys.stdout.buffer.write(f"buffered {form}\n".encode())
    print("half a line,", end=" ")
    print("then", secret)
    if everything:  # Past Python's streams.
        for form in forms(secret):
            os.write(1, f"written {form}\n".encode())
            code = "import sys; print('child', sys.argv[1]); print('child', sys.argv[1], file=sys.stderr)"
            subprocess.run([sys.executable, "-c", code, form], check=True)
    print("no line end", secret, end="")
    return len(secret)


def fails(secret, tries):
    """Fails with the secret all over the exception, and succeeds at the third attempt."""
    tries = Path(tries)
    tries.parent.mkdir(exist_ok=True)
    with tries.open("a") as file:
        file.write("x")
    if len(tries.read_text()) >= 3:
        return {"large": "y" * 100_000}
    try:
        try:
            {}[secret]
        except KeyError as error:
            raise ValueError(forms(secret)) from error
    except ValueError as cause:
        error = type(f"Careless_{secret.encode().hex()}", (Careless,), {})(" ".join(forms(secret)), secret)
        for form in forms(secret):
            error.add_note(f"note {form}")
        raise error from cause


def long_message(secret):
    """The secret lies across the place where a message is cut."""
    raise Careless("." * (4_000 - len(secret) // 2) + secret + "." * 10_000)


def returns(secret, how):
    values = {
        "text": lambda: secret,
        "deep": lambda: {"a": [("b", {"key": f"Bearer {secret}"})]},
        "bytes": secret.encode,
        "base64": lambda: base64.b64encode(b"user:" + secret.encode()),
        "object": lambda: Careless(secret),
        "large": lambda: ["x" * 100_000, secret],
        "array": lambda: np.array([secret, "y" * 40_000]),
        "buffer": lambda: np.frombuffer(b"x" * (2_000_000 - 5) + secret.encode(), dtype=np.uint8),
    }
    return values[how]()


def fine(secret):
    """What a task should do."""
    return {"authorized": bool(secret), "rows": list(range(20_000))}
