"""Where frames come from: files, cameras and streams in one shape, each frame with the time of its capture."""
