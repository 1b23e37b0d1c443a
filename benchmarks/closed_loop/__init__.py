"""A camera that is turned after what a real tracker says of its own images: what latency costs a controller."""
