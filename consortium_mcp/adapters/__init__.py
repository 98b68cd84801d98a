"""Reaches out to the world, one outside thing each."""
