"""The kit behind the kata: it collects, compares, explains and captures."""
