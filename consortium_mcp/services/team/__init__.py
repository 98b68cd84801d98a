"""What a team's server adds to the services: budgets that hold, users' own keys, the audit log.

`assembly` takes it in where the database is a team's. Begin with `budgets`.
"""
