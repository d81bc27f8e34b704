"""Replacements that agree over files: UIDs, pseudonyms and shifts of dates, all derived from one secret.

Each is a keyed hash (HMAC with SHA-256, RFC 2104), so that the same secret gives the same replacement in any file, on
any machine and in any order, and nobody without the secret can go back, or try out names.
"""

from __future__ import annotations

import hmac
from typing import Final

from pydicom.uid import UID_dictionary

LONGEST_SHIFT: Final = 3652
"""Days, about ten years."""

_SHORTEST_SHIFT: Final = 31


class Identifiers:
    """Replacements under one secret.

    Args:
        secret: key of the hash; whoever has it can tell whether a guessed identity is right.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def uid(self, original: str) -> str:
        """The UID in place of ``original``, below 2.25 (PS3.5 B.2); registered ones stay as they are.

        The underlying UUID is of version 8 (RFC 9562), made from 122 bits of the hash.
        """
        if is_registered(original):
            return original
        number = bytearray(self._hash("uid", original.strip(" \0"))[:16])
        number[6] = number[6] & 0x0F | 0x80
        number[8] = number[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(number)}"

    def pseudonym(self, patient: str) -> str:
        """``P`` and twelve hexadecimal digits for a patient, who is known by an identifier or else a name."""
        return "P" + self._hash("patient", patient.strip(" \0")).hex()[:12]

    def days(self, patient: str) -> int:
        """By how many days all dates of a patient move into the past: -31 to -3652."""
        drawn = int.from_bytes(self._hash("dates", patient.strip(" \0"))[:8])
        return -(_SHORTEST_SHIFT + drawn % (LONGEST_SHIFT - _SHORTEST_SHIFT + 1))

    def _hash(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{text}".encode(), "sha256")


def is_registered(uid: str) -> bool:
    """Whether the standard defines ``uid``: a class, a transfer syntax, a vocabulary, a well-known frame."""
    return uid.strip(" \0") in UID_dictionary
