"""What a model is asked about an API, and the judges of what it says: an answer is hostile until it passed here."""
