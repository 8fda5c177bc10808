"""Tests of untrimmed video."""
