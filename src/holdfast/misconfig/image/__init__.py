"""Checks over the finished image: its execution, history, files, accounts and age."""
