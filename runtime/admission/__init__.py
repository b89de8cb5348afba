"""Who gets in when many come: connections, arrivals, places, turns and rates."""
