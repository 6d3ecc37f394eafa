"""Docker, over its HTTP API."""
