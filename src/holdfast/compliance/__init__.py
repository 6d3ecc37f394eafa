"""Which countermeasures of a framework are served, by which rules, and what rules mean."""
