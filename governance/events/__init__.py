"""Events on their way out of the database: who is told, what waits to be told, what was altered behind our back."""
