"""The console: one file per group of commands, loaded when one of its commands is run."""
