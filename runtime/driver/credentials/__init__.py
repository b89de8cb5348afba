"""How a request gets in at a device: sessions that are opened, shared, renewed and closed."""
