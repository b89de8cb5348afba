"""What agents use over HTTP: their OpenAPI document, the tools, the catalog as they see it, what is known of APIs."""
