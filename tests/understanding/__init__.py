"""Tests of what queries mention."""
