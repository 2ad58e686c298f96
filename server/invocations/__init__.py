"""The one path: an agent's URL is called, its program runs in a sandbox, what it cost is settled."""
