"""What the world knows of vulnerabilities: feeds, the database made of them, and the match with packages."""
