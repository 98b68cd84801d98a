"""The queue of a team's server: runs that wait for a worker; procrastinate hands them out.

It needs the extra `team`, and nothing of it is imported for one person's server. What a run is
stays in the journal; a job only says that somebody is to work on it. Begin with `job_queue`.
"""
