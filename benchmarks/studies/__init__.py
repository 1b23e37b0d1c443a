"""Scripts of larger studies: they make the tables of the documentation and the committed weights."""
