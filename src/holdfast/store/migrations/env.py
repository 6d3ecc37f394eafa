"""What alembic runs for each migration: on the connection that it was handed, within that one's transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
