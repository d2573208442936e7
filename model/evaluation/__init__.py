"""Evaluation: is what the networks make like real imagery, and is one window like its neighbours?"""
