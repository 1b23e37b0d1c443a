"""The live tracker as a service: a page to draw the target on, and an interface of JSON and WebSocket."""
