"""What a newer description changes: operation by operation and schema by schema."""
