"""Running one command: started, watched, ended, and its outcome kept.

Nothing is imported here: the child of a `call` job and the guard process load single modules of
this package and must start fast. `sweeplib.run.attempt.run_attempt` is the way in.
"""
