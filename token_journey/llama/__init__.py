"""What everybody knows of the model: its names, shapes, formulas and configuration."""
