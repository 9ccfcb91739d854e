"""Strings to words."""
