"""What a team's server adds to the services: budgets that hold. Begin with `budgets`."""
