"""Run to text: functions of data, in a table."""
