"""What the rehearsing office may ask of simulated WIPO, under /rehearsal; nothing here exists at WIPO."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, request

from office_node.rehearsal.bad_credentials import catalogue, trial
from office_node.rehearsal.central import Central
from office_node.rehearsal.faults import UnknownFault
from office_node.rehearsal.operator import Wanted
from office_node.rehearsal.pace import UnknownPace
from office_node.rehearsal.registration import Asked
from office_node.rehearsal.scripts import UnknownScript

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def make_blueprint(central: Central) -> Blueprint:
    """Forward, the ledger, what goes wrong next, keys, credentials, and a sign of life."""
    places = Blueprint("rehearsal", __name__)
    _add_exchange(places, central)
    _add_bad_days(places, central)
    _add_credentials(places, central)

    @places.get("/rehearsal/alive")
    def live() -> Response:
        return jsonify(
            issuer=central.tokens.issuer,
            kid=central.tokens.signing_key.kid,
            setups=central.settings.setups,
            faults=central.faults.now(),
        )

    return places


def _add_exchange(places: Blueprint, central: Central) -> None:
    @places.post("/rehearsal/retrievals")
    def forward() -> Response:
        asked = request.get_json()
        setup = _setup(central, asked.pop("setup", None))
        is_patient = bool(asked.pop("is_patient", False))
        return jsonify(central.exchange.forward(Wanted(**asked), setup, is_patient=is_patient))

    @places.post("/rehearsal/documents")
    def deposit() -> Response:
        """A document of an office that is not here, with its content: the body; what it is, in the query."""
        asked = request.args
        file_format = "zip" if request.mimetype == "application/zip" else "pdf"
        file = central.files.deposit(request.stream, request.content_length or 0, file_format)
        message = {
            "operationCategory": "registration",
            "documentKindCategory": asked["kind"],
            "documentNumber": asked["number"],
            "documentDate": asked["date"],
            "dasAccessCode": asked["access_code"],
            "fileId": file.file_id,
        }
        central.registry.register(Asked.read(message))
        return jsonify(sha256=file.sha256, bytes=file.size)

    @places.get("/rehearsal/ledger")
    def show_ledger() -> Response:
        return jsonify(central.ledger.entries())


def _add_bad_days(places: Blueprint, central: Central) -> None:
    @places.post("/rehearsal/next-answers")
    def script() -> tuple[Response | str, int]:
        try:
            central.scripts.put(request.get_json())
        except UnknownScript as exc:
            return jsonify(unknown=str(exc)), 400
        return "", 204

    @places.post("/rehearsal/pace")
    def set_pace() -> tuple[Response, int]:
        try:
            central.settings.pace.set(request.get_json())
        except UnknownPace as exc:
            return jsonify(unknown=str(exc)), 400
        return jsonify(central.settings.pace.now()), 200

    @places.post("/rehearsal/faults")
    def set_faults() -> tuple[Response, int]:
        try:
            central.faults.set(request.get_json())
        except UnknownFault as exc:
            return jsonify(unknown=str(exc)), 400
        return jsonify(central.faults.now()), 200

    @places.get("/rehearsal/transcript")
    def show_transcript() -> Response:
        return jsonify(central.hostility.transcript())

    @places.get("/rehearsal/visits")
    def show_visits() -> Response:
        return jsonify(central.faults.visits())

    @places.post("/rehearsal/keys/rotate")
    def rotate() -> Response:
        central.tokens.rotate(withdraw=bool((request.get_json(silent=True) or {}).get("withdraw")))
        published = [member["kid"] for member in central.tokens.published() if member["use"] == "sig"]
        return jsonify(kid=central.tokens.signing_key.kid, published=published)


def _add_credentials(places: Blueprint, central: Central) -> None:
    """For callers on this machine alone: with a true key behind them, these would open the office to anybody."""

    @places.post("/rehearsal/tokens")
    def mint() -> Response:
        _insist_on_this_machine()
        return jsonify(access_token=central.tokens.mint(central.settings.wipo_client_id))

    @places.get("/rehearsal/bad-credentials")
    def list_entries() -> Response:
        return jsonify([entry.told() for entry in catalogue.entries(central.settings.setups)])

    @places.post("/rehearsal/bad-credentials")
    def try_entry() -> Response:
        _insist_on_this_machine()
        asked = request.get_json()
        entry = catalogue.find(asked["kind"], _setup(central, asked["setup"]) or "", asked["name"])
        if entry is None:
            abort(404)
        return jsonify(trial.outcome(entry, central))

    @places.get(trial.LURE_PATH)
    def lure() -> Response:
        """A stranger's key behind `jku` and `x5u`: no office may come here."""
        central.faults.visit("lure")
        return jsonify(keys=[trial.strangers_key().as_dict(private=False)])


def _setup(central: Central, asked: str | None) -> str | None:
    if asked is not None and asked not in central.settings.setups:
        abort(404)
    return asked


def _insist_on_this_machine() -> None:
    # A proxy on this machine, or a name that somebody leads here, would lend everybody its address.
    through_a_proxy = {"X-Forwarded-For", "Forwarded", "Via"} & set(request.headers.keys())
    host = urlsplit(f"//{request.host}").hostname
    if not ip_address(request.remote_addr or "").is_loopback or through_a_proxy or host not in _THIS_MACHINE:
        abort(403)
