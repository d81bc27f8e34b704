"""fivefold: bring your data; one command trains, judges honestly, explains and serves a model."""
