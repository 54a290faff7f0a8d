"""What a person is told: results, how sweeps stand, logs, jobs as understood; tables and exports.

Nothing is imported here; rich is imported where a table meets a terminal, and MLflow nowhere.
"""
