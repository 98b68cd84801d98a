"""What the user keeps in the journal's file besides runs. Begin with `consortiums`.

`consortiums` are the saved ones; `consortium_names` reads only their names, quickly, for llm's list
of models; `calibrations` are what was fitted on labelled runs.
"""
