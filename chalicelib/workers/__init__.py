"""Queue and schedule handlers: as thin as routes, over the same domain functions."""
