"""From trained modules to the graphs that run on board, and from published checkpoints to modules."""
