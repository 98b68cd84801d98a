"""The SQLite file: runs, exchanges, verdicts, saved consortiums. All our SQL is here.

Writes are short and exclusive; an answer is on disk before anyone uses it. Begin with `store`.
"""
