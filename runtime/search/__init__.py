"""Finding approved workflows by the words in which people ask for what they want."""
