"""An agent's memory over HTTP, for its owner."""
