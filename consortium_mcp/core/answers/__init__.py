"""Decides whether two short answers are the same: parses them to values and compares the values.

Values are numbers with units, dates, choices, sets and more; other answers are compared as words.

The input is text that models wrote: nothing here may raise or run for long on it. Begin with
`equivalence`, then `parsing`.
"""
