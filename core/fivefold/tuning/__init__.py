"""Tuning: which settings of a pipeline give the best validation metric, searched with Optuna.

`expressions` reads what is typed behind ``--search``, `space` puts the search space together, `data` reads
the data once, `study` is Optuna's study and where it is kept, `objective` trains one trial, `outcome` writes
what came out, and `tuner` is the whole.

Optuna is an optional extra: only `study`, `objective` and `outcome` import it, and `tuner` imports them late.
"""
