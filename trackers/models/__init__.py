"""Tracker networks in torch, for training and export; the adapters beside this folder run without them."""
