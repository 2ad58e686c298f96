"""What operators see of a running server: metrics, traces, and what it says when it starts."""
