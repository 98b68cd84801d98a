"""The SQLite file of runs: exchanges, verdicts, attachments, uses of tools, and the search of them.

Writes are short and exclusive; an answer is on disk before anyone uses it. Begin with `store`.
"""
