"""The static checks: all that can be known of a document before it is run."""
