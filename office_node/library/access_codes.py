"""Access codes, sealed so that neither a backup nor a list of rows shows them.

A code has four letters or digits (protocol.md C-12): any hash of it is guessed in a second. So it is encrypted with a
key that is not in the database (AES-256-GCM, bound to the document), and compared in constant time without case.
"""

import base64
import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from office_node.errors import OfficeNodeError

_CODE = re.compile(r"[0-9A-Za-z]{4}")
_NONCE_BYTES = 12


class BadAccessCode(OfficeNodeError):
    """Not four letters or digits."""

    code = "N301"
    owner = "office"
    hint = "give four letters or digits, such as AB21"


class WrongAccessCodeKey(OfficeNodeError):
    """A sealed code cannot be opened: the key is not the one it was sealed with, or the row was edited."""

    code = "N302"
    hint = "restore the file that [library] access_code_key_file names from the backup of the keys"


class AccessCodes:
    """Seals access codes, and compares what a caller presents with what was sealed."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, access_code: str, document: str) -> str:
        """`access_code` encrypted for `document` (its kind and number), in base64. Raises `BadAccessCode`."""
        if not _CODE.fullmatch(access_code):
            raise BadAccessCode("an access code has four letters or digits")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(
            nonce + self._cipher.encrypt(nonce, _canonical(access_code), document.encode())
        ).decode()

    def matches(self, presented: str, sealed: str, document: str) -> bool:
        """Whether `presented` is the sealed code; takes as long whether or not it is. Raises `WrongAccessCodeKey`."""
        return hmac.compare_digest(self._open(sealed, document), _canonical(presented))

    def reveal(self, sealed: str, document: str) -> str:
        """The sealed code in clear, in capital letters: a secret. Raises `WrongAccessCodeKey`."""
        return self._open(sealed, document).decode()

    def _open(self, sealed: str, document: str) -> bytes:
        try:
            data = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], document.encode())
        except (InvalidTag, ValueError) as exc:
            raise WrongAccessCodeKey("a sealed access code cannot be opened") from exc


def _canonical(access_code: str) -> bytes:
    # Upper case after encoding, so that it is for A to Z alone: "\u00df".upper() would be "SS".
    return access_code.encode(errors="replace").upper()
