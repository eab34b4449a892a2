"""Real models through transformers; nobody below capture and journey may import it."""
