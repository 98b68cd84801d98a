"""The project's vocabulary as values: consortium, run, question, verdict, report; and its errors.

Everything else may import these; they import nothing else. Begin with `run` and `ask`.
"""
