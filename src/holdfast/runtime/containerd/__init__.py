"""containerd: its gRPC API, its content store and what it runs."""
