"""Settings of the servers and frameworks inside, as far as they open the application to whoever reaches it."""
