"""The embedded database: a private PostgreSQL over one data directory, shared by every process that opens it."""

from agents_store.embedded.data_dir import data_dir_owner, prepare_data_dir, read_or_create_private_file
from agents_store.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "data_dir_owner", "prepare_data_dir", "read_or_create_private_file"]
