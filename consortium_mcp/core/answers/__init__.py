"""When two short answers are the same: read into values, compared as values.

Numbers with units, dates, choices, sets; what is none of these is compared as words.

Only text comes in, and nothing here may raise or run for long on it. Begin with `equivalence`,
then `parsing`.
"""
