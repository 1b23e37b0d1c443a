"""The drawings of the concept pages in docs/concepts: what they show is computed by the code that they explain."""
