"""What WIPO calls on us as office of second filing: a notification (E13), under every path it was seen to use."""

from flask import Blueprint, Response

from office_node.auth.guard import Guard
from office_node.auth.token_verifier import VerifiedClaims
from office_node.das.retrieval_messages import notification_in
from office_node.message_body import PREFIXES, json_body
from office_node.osf_retrievals.availability import Availability


def make_blueprint(availability: Availability, guard: Guard, max_json_depth: int) -> Blueprint:
    """The office's side of E13."""
    blueprint = Blueprint("osf_retrievals", __name__)

    @guard.protected
    def receive_notification(_caller: VerifiedClaims) -> Response:
        availability.notified(notification_in(json_body(max_json_depth)))
        return Response(status=204)

    for prefix in PREFIXES:
        blueprint.add_url_rule(
            f"{prefix}/notifications",
            f"receive_notification {prefix}",
            receive_notification,
            methods=("POST",),
            provide_automatic_options=False,
            strict_slashes=False,
        )
    return blueprint
