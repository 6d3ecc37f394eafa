"""What was found before: reports kept, findings triaged."""
