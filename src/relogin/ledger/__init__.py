"""The history of runs: what each saw, changed and proved, in one SQLite file, or in PostgreSQL."""
