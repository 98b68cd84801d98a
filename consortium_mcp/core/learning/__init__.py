"""Learns from labelled runs whose votes to trust, and how far.

This is fitting and counting over labelled runs; no model is asked. `lessons` says what one of them
teaches, `choice` fits weights to such lessons, `panels` keeps them where they are better than equal
ones. Begin with `learn`.
"""
