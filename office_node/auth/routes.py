"""The office's authorization endpoint: tokens, keys, metadata."""

import time

import structlog
from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from office_node import logs
from office_node.auth import token_request
from office_node.auth.client_assertion import ClientAssertions
from office_node.auth.token_issuer import JWKS_PATH, METADATA_PATH, TOKEN_PATH, TokenIssuer
from office_node.auth.token_request import InvalidClient, TokenRequestRefused
from office_node.auth.unverified_jws import NotTrusted
from office_node.network.ingress import ClientElsewhere, Ingress, whole_body
from office_node.network.rate_limits import TooManyRequests
from office_node.storage.database import DatabaseUnavailable

log = structlog.get_logger()

_LEAST_REFUSAL_SECONDS = 0.005  # what the slowest check, the INSERT that finds an assertion spent, needs at rest


def make_blueprint(
    assertions: ClientAssertions, issuer: TokenIssuer, max_body_bytes: int, ingress: Ingress
) -> Blueprint:
    """The three open places of the authorization server."""
    blueprint = Blueprint("authorization_server", __name__)

    @blueprint.post(TOKEN_PATH)
    def issue_token() -> Response:
        g.token_asked_at = time.monotonic()
        request.max_content_length = max_body_bytes
        asked = token_request.parse(
            media_type=request.mimetype,
            query=request.query_string,
            authorization=request.headers.get("Authorization"),
            body=_body(),
        )
        try:
            client = assertions.authenticate(asked.unverified_assertion, asked.client_id)
            ingress.admit_client(request, client.client_id)
        except (NotTrusted, ClientElsewhere) as exc:
            raise InvalidClient(exc.message) from exc
        logs.bind(client_id=client.client_id)
        answer = issuer.issue(client, token_request.granted_scopes(asked.scope, client.scopes))
        log.info("access token issued", scope=answer["scope"], seconds=answer["expires_in"])
        return _not_stored(jsonify(answer))

    @blueprint.get(JWKS_PATH)
    def publish_keys() -> Response:
        answer = jsonify(issuer.jwks())
        answer.headers["Cache-Control"] = "public, max-age=300"  # half the time a key is published before it signs
        return answer

    @blueprint.get(METADATA_PATH)
    def describe_server() -> Response:
        return jsonify(issuer.metadata())

    _answer_failures(blueprint)
    return blueprint


def _answer_failures(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(RequestEntityTooLarge)
    def refuse_size(_exc: RequestEntityTooLarge) -> Response:
        log.warning("token request refused", code=TokenRequestRefused.code, reason="the body is too large")
        answer = _refusal("invalid_request", "the body is too large", 413)
        answer.headers["Connection"] = "close"  # what is left of the body must not be waited for
        return answer

    @blueprint.errorhandler(TooManyRequests)
    def ask_to_slow_down(exc: TooManyRequests) -> Response:
        answer = _refusal("temporarily_unavailable", "too many requests", 429)
        answer.headers["Retry-After"] = str(exc.retry_after_seconds)
        return answer

    @blueprint.errorhandler(DatabaseUnavailable)
    def ask_for_patience(exc: DatabaseUnavailable) -> Response:
        log.error("token request not served", code=exc.code, reason=exc.message, hint=exc.next_step)
        answer = _refusal("temporarily_unavailable", "try again later", 503)
        answer.headers["Retry-After"] = "30"
        return answer

    @blueprint.errorhandler(TokenRequestRefused)
    def refuse(refusal: TokenRequestRefused) -> Response:
        reason = refusal.message
        if isinstance(refusal, InvalidClient):
            reason = refusal.reason
            # How far the checks came is not told by the time of the answer, unless a loaded database is slower still.
            time.sleep(max(0.0, g.token_asked_at + _LEAST_REFUSAL_SECONDS - time.monotonic()))
        log.warning("token request refused", code=refusal.code, reason=reason, hint=refusal.next_step)
        answer = _refusal(refusal.error, refusal.message, refusal.status)
        if isinstance(refusal, InvalidClient) and refusal.asked_with_basic:
            answer.headers["WWW-Authenticate"] = 'Basic realm="office-node"'  # RFC 6749 5.2
        return answer


def _body() -> bytes:
    try:
        return whole_body(request)
    except BadRequest:
        raise TokenRequestRefused("the body was cut") from None


def _refusal(error: str, description: str, status: int) -> Response:
    answer = jsonify({"error": error, "error_description": description})
    answer.status_code = status
    return _not_stored(answer)


def _not_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    return answer
