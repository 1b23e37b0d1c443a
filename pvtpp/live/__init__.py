"""The live tracker: a driver of the state machine with a thread for each stage."""
