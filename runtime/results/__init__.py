"""What a caller is shown of the outputs of a read: which fields, which items, how much, and how the rest is had."""
