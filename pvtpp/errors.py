"""The exception for bad input: what the user can correct, as opposed to a bug."""


class InputError(ValueError):
    """Something passed in is wrong. The message names the value, where it came from and what is allowed."""
