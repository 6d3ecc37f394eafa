"""Settings of the system inside: accounts, ssh, sudo, package managers, and files that were left behind."""
