"""gunicorn around the node's application: its limits are our settings."""

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from office_node.in_force import InForce
from office_node.settings import Settings
from office_node.web import certificates
from office_node.web.arbiter import take_over


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings for this node; config/gunicorn.conf.py hands out the same."""
    web = settings.web
    return {
        **_tls_options(settings),
        "bind": web.listen,
        "workers": web.workers,
        "worker_class": "office_node.web.worker.OfficeWorker",
        "threads": web.threads,
        "graceful_timeout": web.drain_seconds,
        "keepalive": 75,
        # Where a caller is and how it reached us is decided by network/callers.py alone.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "proxy_protocol": "off",
        "worker_connections": 1000,  # answered, waiting and leaving; who waits longest makes room
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 16_380,  # a WIPO token of 5 KB and its x5c fit (auth-checks.md 69)
        "logger_class": "office_node.web.log.JsonLogger",
        "accesslog": None,  # our own access line leaves the query out
        # The heartbeat file must not wait for a disk.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "control_socket_disable": True,
    }


def _tls_options(settings: Settings) -> dict[str, Any]:
    web = settings.web
    if web.certificate_file is None or web.certificate_key_file is None:
        return {}
    certificate = certificates.serving(web.certificate_file, web.certificate_key_file)
    certificate.context()  # after a reload, workers are forked with what can be used now
    return {
        "certfile": str(web.certificate_file),
        "keyfile": str(web.certificate_key_file),
        "ssl_context": certificate.for_gunicorn,
    }


class WebServer(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn around the node's application; each worker process has a copy of the node in force when it began."""

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force
        super().__init__()

    def load_config(self) -> None:
        options = {**gunicorn_options(self._in_force.settings), "on_starting": take_over(self._in_force)}
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from office_node.app import create_app

        return create_app(self._in_force.node)
