"""The docs' tables and pictures of results, written from the committed JSON files."""
