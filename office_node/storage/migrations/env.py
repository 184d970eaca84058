"""Alembic's entry: on the connection that `storage.schema` hands over, so that a migration is one transaction."""

from typing import Any

from alembic import context

from office_node import crash_points


def _step_is_done(*_about: Any, **_named: Any) -> None:
    crash_points.reached("migration: a step is done")


context.configure(
    connection=context.config.attributes["connection"], render_as_batch=True, on_version_apply=_step_is_done
)
context.run_migrations()
