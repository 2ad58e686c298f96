"""The caller's API keys: made, listed, revoked."""
