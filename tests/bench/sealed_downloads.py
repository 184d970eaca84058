"""What encryption at rest costs: one document, fetched from a node that keeps it sealed and from one that does not.

Real processes on SQLite, both in one run: web processes, a worker, one caller and then eight at once. The digest of
every download is compared; beside the rates stands their ratio.
"""

import hashlib
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from office_node import settings
from office_node.auth.key_generation import make_missing
from office_node.rehearsal.operator import Wanted
from tests.office import SHIPPED_SETTINGS, Office, eventually, make_office, pdf

_BYTES = 40_000_000
_CALLERS = (1, 8)
_DOWNLOADS = 24
_WANTED = Wanted("patent", "US 98/012,357", "2023-11-02", "AB21")


def main() -> None:
    """Measure and print; exit code 1 if a download was not the document."""
    with tempfile.TemporaryDirectory(prefix="office-node-bench-") as folder:
        place = Path(folder)
        (place / "shipped" / "config").mkdir(parents=True)
        file = place / "shipped" / "config" / "office.toml"
        file.write_text(SHIPPED_SETTINGS.read_text())
        make_missing(settings.load(file))
        content = pdf(_BYTES)
        links = {}
        offices = []
        for how, encrypt in (("sealed", ["confidential"]), ("plain", [])):
            (place / how).mkdir()
            offices.append(
                make_office(place / how, place / "shipped" / "keys", None, {"library": {"encrypt": encrypt}})
            )
            links[how] = _offered(offices[-1], content)
        try:
            good = [_measured(links, callers, hashlib.sha256(content).hexdigest()) for callers in _CALLERS]
        finally:
            for office in offices:
                office.close()
    sys.exit(0 if all(good) else 1)


def _offered(office: Office, content: bytes) -> str:
    office.upgrade()
    office.add_document(content, _WANTED)
    office.start_web()
    office.start("worker")
    wipo = office.operator()
    acknowledgement_id = wipo.forward(_WANTED).json()["requestAckId"]
    eventually(lambda: wipo.locate(_WANTED, acknowledgement_id).ok)
    return str(wipo.locate(_WANTED, acknowledgement_id).json()["fileDownloadUrl"])


def _measured(links: dict[str, str], callers: int, sha256: str) -> bool:
    rates, good = {}, True
    for how, link in links.items():
        with ThreadPoolExecutor(callers) as pool:
            began = time.monotonic()
            digests = set(pool.map(_digest, [link] * _DOWNLOADS))
            rates[how] = _DOWNLOADS * _BYTES / (time.monotonic() - began) / 1e6
        good = good and digests == {sha256}
    ratio = rates["sealed"] / rates["plain"]
    print(
        f"{callers} at once: sealed {rates['sealed']:.0f} MB/s, plain {rates['plain']:.0f} MB/s, ratio {ratio:.2f};"
        f" {'every digest holds' if good else 'A DIGEST IS WRONG'}"
    )
    return good


def _digest(link: str) -> str:
    digest = hashlib.sha256()
    with requests.get(link, stream=True, timeout=120) as answer:
        for block in answer.iter_content(1 << 20):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
