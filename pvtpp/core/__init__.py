"""The state machine that decides what happens when, its events, its log, and the drivers that need no threads."""
