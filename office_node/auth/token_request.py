"""A token request as RFC 6749 wants it: one form, nothing twice, one way to authenticate.

The body is read here and not by the framework, which would take the first of two values and look into the query too.
WIPO's sample sends `:` and `/` unescaped; both spellings are read.
"""

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl

from office_node.errors import OfficeNodeError

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MOST_PARAMETERS = 50
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749 3.3


class TokenRequestRefused(OfficeNodeError):
    """An error of RFC 6749 5.2. `message` may leave the house; a reason that may not goes to the log before."""

    code = "N410"
    owner = "caller"
    hint = "the client has to change its token request"
    error: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400


class InvalidClient(TokenRequestRefused):
    """Client authentication failed; always the same words, whatever failed."""

    code = "N411"
    hint = "if the client is honest, compare its entry in [[authorization_server.clients]] with what it sends"
    error = "invalid_client"
    status = 401

    def __init__(self, reason: str, *, asked_with_basic: bool = False) -> None:
        super().__init__("client authentication failed")
        self.reason = reason
        """For our log alone."""
        self.asked_with_basic = asked_with_basic


class UnsupportedGrantType(TokenRequestRefused):
    """Only client_credentials is served."""

    code = "N412"
    error = "unsupported_grant_type"


class InvalidScope(TokenRequestRefused):
    """A scope that this client may not have, or that is none."""

    code = "N413"
    error = "invalid_scope"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The parameters of a well-formed request; the assertion is still unverified."""

    unverified_assertion: str
    client_id: str | None
    scope: str | None


def parse(*, media_type: str, query: bytes, authorization: str | None, body: bytes) -> TokenRequest:
    """The request in `body`. Raises `TokenRequestRefused` or one of its kinds."""
    if query:
        raise TokenRequestRefused("parameters belong into the body")
    if media_type != "application/x-www-form-urlencoded":
        raise TokenRequestRefused("the body must be application/x-www-form-urlencoded")
    form = _form(body)
    _check_authentication(form, authorization)
    _check_grant(form)
    if form.get("client_assertion_type") != JWT_BEARER or "client_assertion" not in form or "client_secret" in form:
        raise InvalidClient("no client_assertion of type jwt-bearer, or a client_secret beside it")
    return TokenRequest(form["client_assertion"], form.get("client_id"), _scope(form.get("scope")))


def granted_scopes(asked: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """What a client gets: all it may have if it asks for nothing, else exactly what it asks. Raises `InvalidScope`."""
    if asked is None:
        return allowed
    scopes = tuple(dict.fromkeys(asked.split(" ")))
    if not set(scopes) <= set(allowed):
        raise InvalidScope("the scope is not available to this client")
    return scopes


def _form(body: bytes) -> dict[str, str]:
    if _BROKEN_ESCAPE.search(body):
        raise TokenRequestRefused("broken percent-encoding")
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise TokenRequestRefused("the form cannot be read") from None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise TokenRequestRefused("a parameter stands twice")
    return {name: value for name, value in pairs if value}  # RFC 6749 3.2: an empty value counts as left out


def _check_authentication(form: dict[str, str], authorization: str | None) -> None:
    if authorization is None:
        return
    if "client_assertion" in form:
        raise TokenRequestRefused("two ways of client authentication")
    raise InvalidClient("an Authorization header instead of an assertion", asked_with_basic=True)


def _check_grant(form: dict[str, str]) -> None:
    if "grant_type" not in form:
        raise TokenRequestRefused("grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise UnsupportedGrantType("only client_credentials is served")


def _scope(scope: str | None) -> str | None:
    if scope is not None and not _SCOPE.fullmatch(scope):
        raise InvalidScope("the scope is no list of scope tokens")
    return scope
