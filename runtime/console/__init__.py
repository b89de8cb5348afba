"""The console: pages for people, made on the server out of what the REST API answers to their own rights."""
