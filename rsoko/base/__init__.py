"""Settings, errors, the database connection and planner helpers. Knows no domain and no file format."""
