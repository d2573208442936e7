"""Seeds: what people type -> 64 bits."""

import hashlib
import re

from model.errors import BadSeed

_ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def parse_seed(text: str | int) -> int:
    """The seed's number, 0…2^64-1.

    A plain decimal number of up to 19 digits is itself; any other word is the BLAKE2b digest of its text, in a domain
    of its own. Raises `BadSeed` if it is not 1–64 characters of A–Z a–z 0–9 _ -.
    """
    if isinstance(text, int) and not isinstance(text, bool) and 0 <= text < 10**19:
        return text
    if not isinstance(text, str) or not _ALLOWED.fullmatch(text):
        raise BadSeed(f"a seed is 1–64 characters of A–Z a–z 0–9 _ -, not {text!r}")
    if _NUMBER.fullmatch(text):
        return int(text)
    digest = hashlib.blake2b(text.encode("ascii"), digest_size=8, person=b"elsewhere-seed").digest()
    return int.from_bytes(digest, "big")
