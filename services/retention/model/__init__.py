"""The decisions of retention: pure functions of dated facts, the schedule, holds and time."""
