"""The door of every inbound call: no view behind it runs without `VerifiedClaims`."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import request

from office_node import logs
from office_node.auth.token_verifier import TokenVerifier, VerifiedClaims
from office_node.auth.unverified_jws import NotTrusted
from office_node.network.ingress import Ingress

P = ParamSpec("P")
R = TypeVar("R")

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]+)")  # RFC 9110 11.1: a scheme has no case


class NoToken(NotTrusted):
    """Nothing that looks like a bearer token was sent (RFC 6750 3.1: answered without an error code)."""

    code = "N403"
    hint = "the caller has to send Authorization: Bearer"


class Guard:
    """Lets a call through to its view with the claims of its token as first argument."""

    def __init__(self, verifier: TokenVerifier, required_scope: str, ingress: Ingress) -> None:
        self._verifier = verifier
        self._required_scope = required_scope
        self._ingress = ingress

    def protected(self, view: Callable[Concatenate[VerifiedClaims, P], R]) -> Callable[P, R]:
        """`view`, reached only by callers whose token proves who they are.

        Raises `NoToken`, `NotTrusted`, `NotAllowed`, `ClientElsewhere`, `TooManyRequests` or `WipoKeysUnavailable`
        instead; the application turns them into 401, 403, 429 and 503.
        """

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> R:
            caller = self._verifier.verify(_bearer_token(), self._required_scope)
            logs.bind(client_id=caller.client_id, trust=caller.trust)
            self._ingress.admit_client(request, caller.client_id, is_ours=caller.trust == "own")
            return view(caller, *args, **kwargs)

        return guarded


def _bearer_token() -> str:
    sent = request.headers.get("Authorization")
    if sent is None or not sent.lower().startswith("bearer"):
        raise NoToken("no bearer token")
    match = _BEARER.fullmatch(sent)
    if match is None:
        raise NotTrusted("not one bearer token")
    return match[1]
