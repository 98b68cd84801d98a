"""What is kept of a run, as values. Begin with `run_record`.

`run_record` is a run with all that belongs to it, enough to resume or export it; `exchange` one of
its calls; `run_summary` what a list shows of it.
"""
