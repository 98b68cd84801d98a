"""How good answers and confidences are, measured: replay, metrics, leaderboard.

Recorded answers stand behind the same `Ask` as real models, so no rule is written twice. Begin with
`replay`.
"""
