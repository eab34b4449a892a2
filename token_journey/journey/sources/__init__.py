"""Where a walk's numbers come from: a pack, a model, somebody's own stages."""
