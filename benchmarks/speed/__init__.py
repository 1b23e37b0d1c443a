"""Scripts that time single parts of pvtpp, each with its figures in a JSON file beside it."""
