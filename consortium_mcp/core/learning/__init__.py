"""Learns from labelled runs whose votes to trust, and how far.

`lessons` says what a labelled run teaches, `choice` fits weights to such lessons, `panels` keeps
them where they are better than equal ones, `learn` does it all.
"""
