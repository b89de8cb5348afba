"""What every request passes before a route: how many at once, who asks, what they may, how often."""
