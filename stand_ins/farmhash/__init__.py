"""The two functions of pyfarmhash that TensorFlow Data Validation calls, without a compiler.

pyfarmhash is the only dependency of TFX that ships no wheel, so it alone would make every fresh machine install g++ and
Python's headers. TFDV uses it to bucket examples in skew detection and features in partitioning: any stable, well-mixed
hash does. The values are not FarmHash's own, and nothing may store them across installations.
"""

import hashlib


def fingerprint64(text: str | bytes) -> int:
    """Return a stable unsigned 64-bit hash of `text` (a str is hashed as UTF-8)."""
    raw = text.encode() if isinstance(text, str) else text
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")


def fingerprint32(text: str | bytes) -> int:
    """Return a stable unsigned 32-bit hash of `text`: the low half of `fingerprint64`."""
    return fingerprint64(text) & 0xFFFFFFFF
