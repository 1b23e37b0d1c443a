"""The one exception for bad input: what a user can mend, told apart from what only a developer can."""


class InputError(ValueError):
    """Something handed in is wrong. The message names the value, the place it came from and what is allowed."""
