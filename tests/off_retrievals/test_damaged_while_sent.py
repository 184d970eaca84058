"""A large encrypted document that is damaged after its beginning: its download is cut there, never completed."""

import pytest
import requests

from office_node.document_id import DocumentKind
from tests.off_retrievals.bench import Bench
from tests.office import eventually, pdf

SIZE = 70_000_000  # more than is read whole before the first byte


def test_it_is_cut_where_it_is_damaged_and_out_of_service_then(served: Bench) -> None:
    kept = served.keep(pdf(SIZE))
    served.node.library.bind(DocumentKind.PATENT, kept.wanted.number, 1 << 40)  # not through WIPO's transit zone
    acknowledgement_id, link = served.offer(kept)
    file = served.kept_file(acknowledgement_id)
    with file.open("r+b") as spoilt:
        spoilt.seek(SIZE // 2)
        byte = spoilt.read(1)
        spoilt.seek(SIZE // 2)
        spoilt.write(bytes([byte[0] ^ 1]))
    url = served.office.url + link.removeprefix(served.node.settings.web.public_url)
    received = bytearray()
    with pytest.raises(requests.RequestException):
        _fetch(url, received)
    assert SIZE // 2 - (2 << 20) < len(received) <= SIZE // 2
    assert kept.content.startswith(received)
    eventually(lambda: served.office.told("document found damaged, it is out of service"))
    assert requests.get(url, timeout=30).status_code == 503
    assert served.state(acknowledgement_id) != "downloaded"


def _fetch(url: str, received: bytearray) -> None:
    with requests.get(url, stream=True, timeout=30) as answer:
        for block in answer.iter_content(1 << 18):
            received += block
