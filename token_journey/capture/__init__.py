"""How a pack is made of a model."""
