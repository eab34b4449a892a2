"""From what is known of a sentence to its journey, station by station."""
