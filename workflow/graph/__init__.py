"""A workflow as a picture: its steps in order, what each sends, what holds, how it goes on. See `drawing`."""
