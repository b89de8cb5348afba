"""The REST API: one router a subject, the models at its border, and the page that documents it."""
