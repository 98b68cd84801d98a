"""The words of the project as values: consortium, run, question, verdict, report, and the errors.

Everything else may know these; they know nothing else. Begin with `run` and `ask`.
"""
