"""Settings that give more than is needed: of images, of the servers inside, of Dockerfiles."""
