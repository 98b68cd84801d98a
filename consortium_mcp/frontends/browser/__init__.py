"""The history of runs in a browser: one page, and what it reads and does through this server.

Begin with `app`.
"""
