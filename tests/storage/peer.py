"""Another process on the same database: `python -m tests.storage.peer VERB URL GO_FILE THREADS TIMES`.

It says `ready`, waits for GO_FILE, and does VERB in many threads at once, TIMES each, each thread on its own.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import text

from office_node.storage import schema
from office_node.storage.database import Database
from tests.storage import rows


def write(url: str, times: int) -> Callable[[], None]:
    """Threads that share a `Database`, as those of a web process do."""
    database = Database(url)

    def run() -> None:
        for _ in range(times):
            with database.transaction() as session:
                rows.step(session)

    return run


def upgrade(url: str, times: int) -> Callable[[], None]:
    """Each with a `Database` of its own, as `office-node db upgrade` has."""

    def run() -> None:
        for _ in range(times):
            database = Database(url)
            schema.upgrade(database)
            schema.check(database)
            database.close()

    return run


def first_to_open(url: str, times: int) -> Callable[[], None]:
    """Each time another file that is not there yet."""

    def run() -> None:
        for n in range(times):
            database = Database(f"{url}-{n}")
            with database.reading() as session:
                session.execute(text("SELECT 1"))
            database.close()

    return run


def main() -> None:
    verb, url, go_file, threads, times = sys.argv[1:]
    deed = {"write": write, "upgrade": upgrade, "first_to_open": first_to_open}[verb](url, int(times))
    print("ready", flush=True)  # noqa: T201
    while not Path(go_file).exists():
        time.sleep(0.001)
    with ThreadPoolExecutor(int(threads)) as pool:
        for future in [pool.submit(deed) for _ in range(int(threads))]:
            future.result()


if __name__ == "__main__":
    main()
