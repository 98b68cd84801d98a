"""What a connected client and its calls need besides the tools: progress, tasks, cancellation.

The two eras of the protocol are told apart here and nowhere else. Begin with `lifespan`, which
holds what lives as long as the server.
"""
