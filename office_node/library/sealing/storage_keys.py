"""The office's storage key pair: data keys are wrapped to its public half, and opened by its private one.

A wrapped key is a JWE in compact form (RFC 7516): ECDH-ES+A256KW to the P-256 storage key, A256GCM over the 32 bytes,
`kid` the RFC 7638 thumbprint of the storage key. It lies in the row of what it opens, so a new storage key rewrites
rows and no file.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol

from office_node.errors import OfficeNodeError
from office_node.library.sealing.layout import DATA_KEY_BYTES

_ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class StorageKeyMissing(OfficeNodeError):
    """A document's key is wrapped to a storage key that this node does not have, or it is damaged."""

    code = "N342"
    hint = "restore every file of [library] storage_key_file from the backup of the keys"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is kept."""

    text: str = field(repr=False)
    storage_kid: str
    """Thumbprint of the storage key it is wrapped to."""


class StorageKeys:
    """The storage key in force and those before it."""

    def __init__(self, current: Callable[[], ECKey], known: Callable[[], Mapping[str, ECKey]]) -> None:
        """`current` gives the key to wrap to, its public half is enough; `known` all that may open, by kid."""
        self._current = current
        self._known = known

    @property
    def current_kid(self) -> str:
        """Thumbprint of the storage key that wraps now."""
        return self._current().thumbprint()

    @property
    def former_kids(self) -> list[str]:
        """Thumbprints of the other storage keys whose private half is here: what is wrapped to them can be opened."""
        return [kid for kid, key in self._known().items() if kid != self.current_kid and key.is_private]

    def new_data_key(self) -> tuple[bytes, WrappedKey]:
        """A fresh key for one file, in clear for its writing, and as it is kept."""
        data_key = secrets.token_bytes(DATA_KEY_BYTES)
        return data_key, self._wrap(data_key)

    def unwrap(self, wrapped: str) -> bytes:
        """The data key in clear. Raises `StorageKeyMissing`."""
        try:
            opened = jwe.decrypt_compact(wrapped, self._key_of, algorithms=_ALGORITHMS).plaintext
        except (JoseError, ValueError) as exc:
            raise StorageKeyMissing(f"a document's key does not open ({type(exc).__name__})") from exc
        if opened is None or len(opened) != DATA_KEY_BYTES:
            raise StorageKeyMissing("a document's key opens to something else")
        return opened

    def rewrap(self, wrapped: str) -> WrappedKey:
        """The same data key, wrapped to the storage key in force. Raises `StorageKeyMissing`."""
        return self._wrap(self.unwrap(wrapped))

    def _wrap(self, data_key: bytes) -> WrappedKey:
        key = self._current()
        kid = key.thumbprint()
        head = {"alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "kid": kid}
        return WrappedKey(jwe.encrypt_compact(head, data_key, key, algorithms=_ALGORITHMS), kid)

    def _key_of(self, head: GuestProtocol) -> ECKey:
        kid = str(head.headers().get("kid"))
        key = self._known().get(kid)
        if key is None:
            raise StorageKeyMissing(f"a document's key is wrapped to storage key {kid}, which is not here")
        return key
