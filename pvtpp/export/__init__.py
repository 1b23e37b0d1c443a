"""From trained modules to what the onboard floor runs, and from published checkpoints to modules."""
