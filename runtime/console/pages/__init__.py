"""The pages, a subject each: what they ask the API for, and what they do with a form."""
