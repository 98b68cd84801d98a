"""Measures how good answers and confidences are: replay, metrics, leaderboard.

Recorded answers are served through the same `Ask` as real models, so no rule is written twice.
Begin with `replay`.
"""
