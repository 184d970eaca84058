"""Whether a wrong credential can be told from another by the time of its refusal: medians, interleaved, one run.

Over HTTP against `office-node web`, each kind sent in shuffled rounds; the column `ratio` is a kind's median against
the median of all. A caller learns something only from a ratio that stands out of the spread beside it.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from joserfc.jwk import ECKey

from office_node import settings
from office_node.auth.key_generation import make_missing
from tests.auth.assertions import ABSENT, Caller
from tests.auth.server import FORM, TOKEN_PATH, make_registrations, make_server, token_form
from tests.office import SHIPPED_SETTINGS

_ROUNDS = 300
_WARMING_ROUNDS = 30


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="office-node-bench-") as folder:
        keys = _shipped_keys(Path(folder, "shipped"))
        registered = Path(folder, "registered")
        registered.mkdir()
        place = Path(folder, "office")
        place.mkdir()
        server = make_server(place, keys, make_registrations(registered))
        try:
            server.office.start_web()
            _print(_measure(server.office.url, _wrong(server.callers)))
        finally:
            server.office.close()
            server.node.database.close()


def _wrong(callers: dict[str, Caller]) -> dict[str, Callable[[], str]]:
    strict, other, stranger = callers["strict-office"], callers["other-office"], ECKey.generate_key("P-256")
    spent = strict.assertion(exp=int(time.time()) + 3000)
    return {
        "unknown client": lambda: strict.assertion(iss="nobody", sub="nobody"),
        "a stranger's key": lambda: strict.assertion(key=stranger),
        "another client's key": lambda: strict.assertion(key=other.key),
        "a kid of nobody": lambda: strict.assertion({"kid": "nobody"}),
        "wrong aud": lambda: strict.assertion(aud="https://elsewhere.example.org"),
        "expired": lambda: strict.assertion(exp=int(time.time()) - 600),
        "no jti": lambda: strict.assertion(jti=ABSENT),
        "used before": lambda: spent,
    }


def _measure(url: str, wrong: dict[str, Callable[[], str]]) -> dict[str, list[float]]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    _ask(connection, wrong["used before"]())  # spends it
    seen: dict[str, list[float]] = {kind: [] for kind in wrong}
    for turn in range(_WARMING_ROUNDS + _ROUNDS):
        for kind in random.sample(list(wrong), len(wrong)):
            status, seconds = _ask(connection, wrong[kind]())
            assert status == 401, (kind, status)
            if turn >= _WARMING_ROUNDS:
                seen[kind].append(seconds)
    return seen


def _ask(connection: HTTPConnection, assertion: str) -> tuple[int, float]:
    body = urlencode(token_form(assertion))
    began = time.perf_counter()
    connection.request("POST", TOKEN_PATH, body, {"Content-Type": FORM})
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.perf_counter() - began


def _print(seen: dict[str, list[float]]) -> None:
    whole = statistics.median([seconds for times in seen.values() for seconds in times])
    print(f"{'wrong credential':<24}{'median ms':>10}{'ratio':>8}{'spread (10 % to 90 %)':>26}")
    for kind, times in seen.items():
        tenths = statistics.quantiles(times, n=10)
        spread = f"{tenths[0] * 1000:.2f} to {tenths[-1] * 1000:.2f} ms"
        middle = statistics.median(times)
        print(f"{kind:<24}{middle * 1000:>10.2f}{middle / whole:>8.2f}{spread:>26}")


def _shipped_keys(folder: Path) -> Path:
    (folder / "config").mkdir(parents=True)
    file = folder / "config" / "office.toml"
    file.write_text(SHIPPED_SETTINGS.read_text())
    make_missing(settings.load(file))
    return folder / "keys"


if __name__ == "__main__":
    main()
