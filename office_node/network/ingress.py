"""What comes in: a body is read whole, or it is refused."""

from werkzeug import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge


def whole_body(request: Request) -> bytes:
    """The request's body. Werkzeug alone would end a chunked one at the limit, and a cut one where it was cut.

    Raises `RequestEntityTooLarge`, or `BadRequest` for a body that was cut.
    """
    body = request.get_data(cache=False)
    if len(body) == request.max_content_length and _more_comes(request):
        raise RequestEntityTooLarge
    if len(body) < (request.content_length or 0):
        raise BadRequest
    return body


def _more_comes(request: Request) -> bool:
    try:
        return bool(request.environ["wsgi.input"].read(1))
    except OSError:
        raise BadRequest from None
