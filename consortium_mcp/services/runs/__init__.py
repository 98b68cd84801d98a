"""Runs in progress: executed, supervised, waited for, nested in each other.

A run belongs to the process and not to the call that began it. This room uses only core and
adapters. Begin with `execution`.
"""
