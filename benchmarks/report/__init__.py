"""Tables, plots, videos and files of results."""
