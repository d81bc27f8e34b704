"""The command line: ``fivefold <domain> <task> <verb>`` and the commands of the core.

`main` runs it; `root_help` answers ``fivefold --help`` in milliseconds; `app` builds only what the words
typed need; `verbs` gives every pipeline its commands; each command of the core has a module of its name.
"""
