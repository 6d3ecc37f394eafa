"""Tolerant readers of the forms that settings are written in. Each keeps line numbers and stops at a bound."""
