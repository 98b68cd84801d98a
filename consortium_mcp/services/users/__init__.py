"""Several users of one process, each with what is theirs: who asks, their runs, their news.

One person's server has one user, who sees everything. Begin with `callers`.
"""
