"""SQLite files, whatever is in them: locks, threads, damage, reading without touching.

Knows no table of ours, and nothing above it. Begin with `connection`.
"""
