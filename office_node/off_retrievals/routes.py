"""What WIPO calls on us as office of first filing, under every path it was seen to use (protocol.md 1.3, 9.2).

A view is: parse, call one verb, shape the answer. The guard stands before each of them but the download, whose link
is its own proof.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_to_bytes

import structlog
from flask import Blueprint, Response, jsonify, request
from werkzeug import Response as WsgiResponse

from office_node import logs
from office_node.auth.guard import Guard
from office_node.auth.token_verifier import VerifiedClaims
from office_node.das.error_codes import Malformed
from office_node.das.messages import (
    DocumentFilter,
    RetrievalRequest,
    UrlDownloadRequest,
    parse_json,
    parse_query,
    retrieval_bag,
)
from office_node.errors import OfficeNodeError
from office_node.library.catalogue import Version
from office_node.message_body import PREFIXES, json_body
from office_node.off_retrievals import downloads
from office_node.off_retrievals.download_links import DOWNLOAD_PATH, DownloadLinks
from office_node.off_retrievals.downloads import DownloadSlots, SentFile, Span
from office_node.off_retrievals.handover import Handover
from office_node.off_retrievals.service import ForwardedRetrievals

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OffRetrievalParts:
    """What the views are made of."""

    retrievals: ForwardedRetrievals
    handover: Handover
    links: DownloadLinks
    slots: DownloadSlots
    guard: Guard
    public_url: str
    max_json_depth: int
    accel_redirect: str | None


def make_blueprint(parts: OffRetrievalParts) -> Blueprint:
    """The office's side of E11, E12, E14, E15 and E16."""
    retrievals, handover, protected = parts.retrievals, parts.handover, parts.guard.protected
    read_body = partial(json_body, parts.max_json_depth)
    blueprint = Blueprint("off_retrievals", __name__)

    @protected
    def receive_retrieval(caller: VerifiedClaims) -> Response:
        acknowledgement_id = retrievals.accept(caller, parse_json(RetrievalRequest, read_body()))
        answer = jsonify({"requestAckId": acknowledgement_id, "requestStatusCategory": "pending"})
        answer.status_code = 201
        answer.headers["Location"] = f"{parts.public_url}{request.path.rstrip('/')}/{acknowledgement_id}"
        return answer

    @protected
    def list_retrievals(caller: VerifiedClaims) -> Response:
        _refuse_body()
        return jsonify(retrieval_bag(handover.statuses(caller, parse_query(DocumentFilter, _query()))))

    @protected
    def show_retrieval(caller: VerifiedClaims, acknowledgement_id: str) -> Response:
        _refuse_body()
        wanted = parse_query(DocumentFilter, {"requestAckId": [acknowledgement_id]})
        return jsonify(handover.status(caller, wanted).to_wire())

    @protected
    def issue_download_url(caller: VerifiedClaims) -> Response:
        in_query = request.method != "POST" and not _has_body()  # C-1: GET or POST, query or body
        wanted = parse_query(UrlDownloadRequest, _query()) if in_query else parse_json(UrlDownloadRequest, read_body())
        return jsonify({"fileDownloadUrl": handover.issue_link(caller, wanted)})

    @protected
    def delete_file(caller: VerifiedClaims) -> Response:
        _refuse_body()
        handover.end(caller, parse_query(DocumentFilter, _query()))
        return Response(status=204)

    def download(acknowledgement_id: str, version_id: str) -> WsgiResponse:
        _refuse_body()
        parts.links.check(
            host=request.host,
            acknowledgement_id=acknowledgement_id,
            version_id=version_id,
            expires=request.args.get("expires", ""),
            signature=request.args.get("signature", ""),
        )
        logs.bind(acknowledgement_id=acknowledgement_id)  # known to be ours only now
        return _download(parts, acknowledgement_id, version_id)

    places: list[tuple[str, Callable[..., WsgiResponse], tuple[str, ...]]] = [
        ("retrievals", receive_retrieval, ("POST",)),
        ("retrievals", list_retrievals, ("GET",)),
        ("retrievals/statuses", list_retrievals, ("GET",)),  # C-2
        ("retrievals/<acknowledgement_id>", show_retrieval, ("GET",)),
        ("files/url-downloads", issue_download_url, ("POST", "GET")),
        ("url-downloads", issue_download_url, ("POST", "GET")),  # C-3
        ("files", delete_file, ("DELETE",)),
    ]
    for prefix in PREFIXES:
        for path, view, methods in places:
            _add(blueprint, f"{prefix}/{path}", view, methods)
    _add(blueprint, f"{DOWNLOAD_PATH}/<acknowledgement_id>/<version_id>", download, ("GET",))
    return blueprint


def _add(blueprint: Blueprint, path: str, view: Callable[..., WsgiResponse], methods: tuple[str, ...]) -> None:
    blueprint.add_url_rule(
        path,
        f"{view.__name__} {path}",
        view,
        methods=methods,
        provide_automatic_options=False,
        strict_slashes=False,
    )


def _download(parts: OffRetrievalParts, acknowledgement_id: str, version_id: str) -> WsgiResponse:
    offered = parts.handover.content(acknowledgement_id, version_id)
    version = offered.version
    if downloads.is_unchanged(request, version):
        return Response(status=304, headers=downloads.headers(version))
    span = downloads.choose_span(request, version)
    if request.method == "HEAD":
        return downloads.answer(request, version, span, None)
    from_start = span.start == 0
    by_proxy = parts.accel_redirect and downloads.may_be_handed_over(request)
    if by_proxy and (place := parts.handover.place(version, from_start=from_start)):
        # Evidence only: what the proxy sends of it we do not see, so it never counts as downloaded.
        log.info("download handed to the proxy", first_byte=span.start)
        return downloads.handed_over(version, f"{parts.accel_redirect}/{place}")
    give_back = parts.slots.take(offered.client_id)

    def ended(reached: int) -> None:
        give_back()
        _note_end(parts.handover, acknowledgement_id, version, span, reached)

    try:
        sent = SentFile(parts.handover.open(version, from_start=from_start), span, ended)
    except Exception:
        give_back()
        raise
    return downloads.answer(request, version, span, sent)


def _note_end(handover: Handover, acknowledgement_id: str, version: Version, span: Span, reached: int) -> None:
    """Runs when the server closes the file, outside any request: it may log but must not raise."""
    with logs.bound(acknowledgement_id=acknowledgement_id):
        whole = reached == span.stop
        log.info("download ended" if whole else "download cut", bytes=reached - span.start, first_byte=span.start)
        if reached == version.size and not span.from_the_end:
            try:
                handover.note_downloaded(acknowledgement_id)
            except OfficeNodeError as exc:
                log.error("download not recorded", code=exc.code, reason=exc.message, hint=exc.next_step)


def _query() -> dict[str, list[str]]:
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError:
        raise Malformed("The query is not UTF-8") from None
    return request.args.to_dict(flat=False)


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _refuse_body() -> None:
    if _has_body():
        raise Malformed("No body belongs here")
