"""Verdicts as text: terminal, table, JSON, JUnit, a page, and files that show the defects."""
