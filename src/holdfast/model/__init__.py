"""The words: frozen values that every room speaks, with no input or output of their own."""
