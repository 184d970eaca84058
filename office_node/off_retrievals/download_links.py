"""Download links: one document version, one host, some minutes, no token.

The signature covers method, host, request, version and end, so a link that was changed in any of them, or that is
presented to another host, is worth nothing. HEAD is GET without the bytes (RFC 9110 9.3.2) and goes with it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from office_node import clock
from office_node.das.error_codes import DasRefusal

DOWNLOAD_PATH = "/das/v1/downloads"


class LinkInvalid(DasRefusal):
    """The link was changed, has expired, or was made for another host."""

    code, status, outer_code = "N512", 403, "LINK_REFUSED"
    hint = (
        "the caller asks for a new one at files/url-downloads; if all are refused, see that [web] public_url is right"
    )


@dataclass(frozen=True, slots=True)
class DownloadLinks:
    """Makes links and checks them."""

    key: bytes
    public_url: str
    seconds: int

    def sign(self, acknowledgement_id: str, version_id: str) -> str:
        """A link to one content for one request, good for `seconds` from now. It is a secret while it lives."""
        expires = int(clock.now().timestamp()) + self.seconds
        signature = self._signature(urlsplit(self.public_url).netloc, acknowledgement_id, version_id, str(expires))
        query = urlencode({"expires": expires, "signature": signature})
        return f"{self.public_url}{DOWNLOAD_PATH}/{acknowledgement_id}/{version_id}?{query}"

    def check(self, *, host: str, acknowledgement_id: str, version_id: str, expires: str, signature: str) -> None:
        """Raises `LinkInvalid` unless this is a link of ours, presented to the host it was made for, in time."""
        if self._plain(host) != self._plain(urlsplit(self.public_url).netloc):
            raise LinkInvalid("The link was made for another host")
        expected = self._signature(urlsplit(self.public_url).netloc, acknowledgement_id, version_id, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise LinkInvalid("The link was changed")
        if int(expires) <= clock.now().timestamp():
            raise LinkInvalid("The link has expired")

    def _plain(self, host: str) -> str:
        # A caller leaves the usual port out even where the link has it (RFC 9110 4.2.3).
        usual_port = {"https": ":443", "http": ":80"}[urlsplit(self.public_url).scheme]
        return host.lower().removesuffix(usual_port)

    def _signature(self, host: str, acknowledgement_id: str, version_id: str, expires: str) -> str:
        # None of the parts can hold a line break: host is ours, ids come through the URL router, digits are signed.
        signed = "\n".join(("GET", host, acknowledgement_id, version_id, expires))
        digest = hmac.digest(self.key, signed.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
