"""Measuring rankings against judgements: queries and qrels in, means, intervals and pages out."""
