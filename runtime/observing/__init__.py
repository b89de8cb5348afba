"""What is counted, traced and logged while things happen, and where it goes."""
