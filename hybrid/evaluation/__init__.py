"""Evaluation of rankings on judged queries: measures, significance, reports and tuning."""
