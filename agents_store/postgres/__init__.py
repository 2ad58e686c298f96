"""The store on PostgreSQL 15 or newer: migrations, bootstrap, queries, and the `Store` itself."""
