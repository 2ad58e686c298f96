"""An agent's secrets over HTTP: set, listed without their values, removed."""
