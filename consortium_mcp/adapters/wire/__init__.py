"""What plugins do not show of their calls: what comes over the wire, its connections, the retries.

The classes of httpx, httpx2 and the providers' SDKs are wrapped in place, once. If a library's
internals have changed, only the gain is lost. Begin with `last_response`.
"""
