"""Persistence: agents, runs and credits under row-level security. Knows nothing of HTTP or sandboxes."""
