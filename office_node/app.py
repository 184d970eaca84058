"""The web application: blueprints behind one door, and one function that turns every failure into its answer."""

import time

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from office_node import logs
from office_node.auth import routes as auth_routes
from office_node.auth.guard import Guard, NoToken
from office_node.auth.token_verifier import NotAllowed
from office_node.auth.unverified_jws import NotTrusted
from office_node.das import error_codes
from office_node.das.error_codes import DasRefusal
from office_node.errors import OfficeNodeError
from office_node.network.callers import AddressRefused
from office_node.network.ingress import ClientElsewhere, Ingress, refuse_broken_head, security_headers
from office_node.network.rate_limits import TooManyRequests
from office_node.off_retrievals import routes as off_retrieval_routes
from office_node.off_retrievals.routes import OffRetrievalParts
from office_node.osf_retrievals import routes as osf_retrieval_routes
from office_node.settings import API_SCOPE
from office_node.wiring.node import Node
from office_node.wiring.trust import OwnAuthorizationServer

log = structlog.get_logger()

_BY_STATUS: dict[int, type[DasRefusal]] = {
    404: error_codes.NotFound,
    405: error_codes.MethodNotAllowed,
    413: error_codes.TooLarge,
    415: error_codes.WrongMediaType,
    431: error_codes.HeaderTooLarge,
}


# Answered before the body was read to its end.
_UNREAD = (error_codes.TooLarge.status, error_codes.AddressRefused.status, error_codes.TooManyRequests.status)


def create_app(node: Node) -> Flask:
    """The WSGI application that WIPO reaches."""
    app = Flask("office_node", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = node.settings.web.max_body_bytes
    app.config["MOST_BODY_BYTES"] = _most_body_bytes(node)
    app.config["IS_STRANGER"] = node.ingress.is_stranger
    app.config["RECEIVE_SECONDS"] = node.settings.web.receive_seconds
    app.config["WRAP_ERRORS"] = node.settings.off.wrap_errors
    app.config["SECURITY_HEADERS"] = security_headers(node.settings.web.public_url)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # WIPO's samples lead with the id
    app.url_map.merge_slashes = False  # a path with // is unknown, not redirected: a redirect is HTML
    parts = OffRetrievalParts(
        retrievals=node.retrievals,
        handover=node.handover,
        links=node.links,
        slots=node.slots,
        guard=Guard(node.verifier, API_SCOPE, node.ingress),
        public_url=node.settings.web.public_url,
        max_json_depth=node.settings.web.max_json_depth,
        accel_redirect=node.settings.web.accel_redirect,
    )
    if node.authorization_server:
        app.register_blueprint(_authorization_server(node.authorization_server, node.ingress))
    app.register_blueprint(off_retrieval_routes.make_blueprint(parts))
    if node.settings.osf.mode != "polling":
        availability = node.second_filing.availability
        app.register_blueprint(
            osf_retrieval_routes.make_blueprint(availability, parts.guard, node.settings.web.max_json_depth)
        )
    _answer_failures(app)
    _log_requests(app)
    _stand_guard(app, node.ingress)
    return app


def _authorization_server(server: OwnAuthorizationServer, ingress: Ingress) -> Blueprint:
    return auth_routes.make_blueprint(server.assertions, server.issuer, server.max_body_bytes, ingress)


def _most_body_bytes(node: Node) -> int:
    """The largest body that any place of ours takes."""
    server = node.authorization_server
    return max(node.settings.web.max_body_bytes, server.max_body_bytes if server else 0)


def _answer_failures(app: Flask) -> None:
    @app.errorhandler(Exception)
    def answer(exc: Exception) -> Response:
        refusal = _refusal_for(exc)
        response = jsonify(refusal.body(wrapped=app.config["WRAP_ERRORS"]))
        response.status_code = refusal.status
        response.headers.update(refusal.headers)
        response.headers.update(_challenge(exc))
        if refusal.status in _UNREAD:
            response.headers["Connection"] = "close"  # what is left of the body must not be waited for
        if isinstance(exc, HTTPException) and getattr(exc, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(exc.valid_methods))  # type: ignore[attr-defined]
        return response


def _refusal_for(exc: Exception) -> DasRefusal:
    """What the caller reads of a failure; what it must not read goes to the log here."""
    match exc:
        case DasRefusal():
            codes = [detail.code for detail in exc.details]
            log.info("request refused", code=exc.code, reason=exc.message, das_codes=codes)
            return exc
        case NotTrusted():
            log.warning("token refused", code=exc.code, reason=exc.message, hint=exc.next_step)
            return error_codes.Unauthenticated("A valid bearer token is needed")
        case NotAllowed():
            log.warning("token refused", code=exc.code, reason=exc.message, hint=exc.next_step)
            return error_codes.Forbidden("The token does not allow this")
        case AddressRefused():  # told by the ingress, as the next but one
            return error_codes.AddressRefused("Calls from this address are not allowed")
        case ClientElsewhere():
            log.warning("token refused", code=exc.code, reason=exc.message, hint=exc.next_step)
            return error_codes.AddressRefused("Calls from this address are not allowed")
        case TooManyRequests():
            return error_codes.TooManyRequests(exc.retry_after_seconds)
        case OfficeNodeError():
            log.error("request not served", code=exc.code, reason=exc.message, hint=exc.next_step)
            return error_codes.Unavailable("The service is not available at this moment")
        case HTTPException(code=int(status)) if 400 <= status < 500:
            log.info("request refused", code=_BY_STATUS.get(status, error_codes.Malformed).code, status=status)
            return _BY_STATUS.get(status, error_codes.Malformed)(exc.name)
        case ParseException():  # a chunked body that breaks off its own rules
            log.info("request refused", code=error_codes.Malformed.code, reason=type(exc).__name__)
            return error_codes.Malformed("The body cannot be read")
        case _:
            log.error("bug", code=error_codes.InternalError.code, exc_info=exc)
            return error_codes.InternalError("The service failed")


def _challenge(exc: Exception) -> dict[str, str]:
    """WWW-Authenticate as RFC 6750 3 wants it: no error code when no token came."""
    realm = 'Bearer realm="office-node"'
    match exc:
        case NoToken():
            return {"WWW-Authenticate": realm}
        case NotTrusted():
            return {"WWW-Authenticate": f'{realm}, error="invalid_token"'}
        case NotAllowed():
            return {"WWW-Authenticate": f'{realm}, error="insufficient_scope", scope="{exc.scope}"'}
        case _:
            return {}


def _stand_guard(app: Flask, ingress: Ingress) -> None:
    @app.before_request
    def admit() -> None:
        ingress.admit(request)
        g.admitted = True
        refuse_broken_head(request)


def _log_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        logs.unbind_all()
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        for name, value in app.config["SECURITY_HEADERS"].items():
            response.headers.setdefault(name, value)
        if "admitted" not in g:
            return response  # of a flood the ingress tells, once a minute
        # Never the query: a presigned URL's secret stands there.
        milliseconds = round((time.perf_counter() - g.began) * 1000, 1)
        log.info(
            "answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=milliseconds,
        )
        return response
