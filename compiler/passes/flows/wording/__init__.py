"""Names, titles and texts of workflows, and the linter that judges them."""
