"""How long an answer may be kept, as its headers say."""

import pytest
import time_machine

from office_node.network.freshness import seconds_fresh

LATER = "Mon, 02 Nov 2026 10:10:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache-Control": ""}, None),
        ({"Cache-Control": "public"}, None),
        ({"Cache-Control": "max-age=300"}, 300),
        ({"Cache-Control": 'Public , MAX-AGE = "300", must-revalidate'}, 300),
        ({"Cache-Control": "max-age=300", "Age": "100"}, 200),
        ({"Cache-Control": "max-age=300", "Age": "400"}, 0),
        ({"Cache-Control": "max-age=300", "Age": "-5"}, 300),
        ({"Cache-Control": "max-age=300", "Age": "soon"}, 300),
        ({"Cache-Control": "max-age=-1"}, None),
        ({"Cache-Control": "max-age=1e9"}, None),
        ({"Cache-Control": "max-age=" + "9" * 400}, None),
        ({"Cache-Control": "max-age=٣"}, None),
        ({"Cache-Control": "s-maxage=300"}, None),
        ({"Cache-Control": "no-store, max-age=300"}, 0),
        ({"Cache-Control": "max-age=300, No-Cache"}, 0),
        ({"Cache-Control": 'no-cache="Set-Cookie", max-age=300'}, 0),
        ({"Cache-Control": "max-age=300", "Expires": "0"}, 300),
        ({"Expires": LATER}, 600),
        ({"Expires": LATER, "Date": "Mon, 02 Nov 2026 10:09:00 GMT"}, 60),
        ({"Expires": LATER, "Date": "today"}, 600),
        ({"Expires": LATER, "Age": "100"}, 500),
        ({"Expires": "Mon, 02 Nov 2026 10:10:00 -0000"}, 600),
        ({"Expires": "Mon, 02 Nov 2026 09:00:00 GMT"}, 0),
        ({"Expires": "0"}, 0),
        ({"Expires": "-1"}, 0),
        ({"Expires": ""}, 0),
    ],
    ids=str,
)
def test_a_life_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False):
        assert seconds_fresh(headers) == seconds
