"""Agents that speak the Agent Client Protocol, as models that only answer.

The commands are the user's own, in `CONSORTIUM_ACP`. Such an agent is offered no file and no
terminal, and each permission that it asks for is refused. Begin with `models`.
"""
