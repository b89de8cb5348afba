"""Runs: what happened in each, those that are open, and what makes one begin: plans, asks, schedules."""
