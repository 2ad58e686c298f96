"""Authentication: turns an `Authorization` header into a principal, or refuses it. Knows no routes and no SQL."""
