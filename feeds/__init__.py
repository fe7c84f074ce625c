"""Departments' feeds (数据推送): what a department has subscribed to, as one numbered, chained list of records."""
