"""Who is let in to a team's server: known hosts, good tokens, people signed in with a browser.

Begin with `login`.
"""
