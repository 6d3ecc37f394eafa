"""File trees: one way to walk them, many places they come from, and a budget on each."""
