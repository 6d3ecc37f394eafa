"""Policies: a report and what somebody demands, turned into a decision."""
