"""The parts of MCP besides tools: progress, tasks, cancellation, elicitation, subscriptions.

Only this folder distinguishes the two eras of the protocol. Begin with `lifespan`, which holds the
state that lives as long as the server.
"""
