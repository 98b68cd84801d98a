"""The commands of a team's server: `serve`, `work` and `tokens`.

Begin with `serve`.
"""
