"""The journal on PostgreSQL, for a team's server; needs the extra `team`.

Nothing of it is imported before a database is used whose address is a URL. Begin with `database`;
`opening` decides which database it is, and imports nothing.
"""
