"""Commands that measure: runs of the journal, labels, recorded answers.

Begin with `replay`.
"""
