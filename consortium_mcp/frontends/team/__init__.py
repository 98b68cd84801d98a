"""What only a team's server speaks. Begin with `budget_commands`."""
