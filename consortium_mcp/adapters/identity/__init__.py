"""Who somebody is, by the token that they bring: one of an identity provider's, or one of ours.

Begin with `verifier`.
"""
