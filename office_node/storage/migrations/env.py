"""Alembic's entry: on the connection that `storage.schema` hands over, so that a migration is one transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
