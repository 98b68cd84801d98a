"""Runs on their way: executed, supervised, waited for, nested in each other.

A run belongs to the process and not to the call that began it. Only core and adapters are known
here. Begin with `execution`.
"""
