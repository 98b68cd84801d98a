"""What the journal asks of a database, whichever it is.

SQLite answers in `adapters.journal.database`, PostgreSQL in `adapters.postgres`. The SQL is written
once, as SQLite spells it. Begin with `database`.
"""
