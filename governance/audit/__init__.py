"""The audit: every event that matters, hashed in one order, and rows that count only as it says."""
