"""What is allowed, what is waived, and the verdict on a report."""
