"""What a server does by itself: schedules and deliveries."""
