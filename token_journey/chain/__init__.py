"""A folder's ten stages, one after the other."""
