"""A steady load: so many requests a second, whatever becomes of each."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import requests

from tests.office import Office

PER_SECOND = 20
_THREADS = 8


class Load:
    """Sends until told to stop. `send` is given the number of a request, and says its kind and the answer's status."""

    def __init__(self, send: Callable[[int], tuple[str, int]]) -> None:
        self._send = send
        self._stop = threading.Event()
        self.seen: Counter[tuple[str, int]] = Counter()

    def run_while(self, work: Callable[[], None]) -> None:
        with ThreadPoolExecutor(_THREADS + 1) as threads:
            driver = threads.submit(self._drive, threads)
            try:
                work()
            finally:
                self._stop.set()
            self.seen = Counter(sent.result() for sent in driver.result())

    def _drive(self, threads: ThreadPoolExecutor) -> list[Future[tuple[str, int]]]:
        sent: list[Future[tuple[str, int]]] = []
        while not self._stop.wait(1 / PER_SECOND):
            sent.append(threads.submit(self._send, len(sent)))
        return sent


def status_with(office: Office, token: str) -> int:
    """What a call on the API with this token is answered."""
    url = f"{office.url}/das-api/v1/requests/retrievals?requestAckId=nobody"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code
