"""Isolation: runs one untrusted program in one single-use sandbox. Knows nothing of HTTP, users or Postgres."""
