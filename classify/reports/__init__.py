"""Reports of evaluations, comparisons and fusions.

report            all files of a report, written together
summary           predictions to figures
markdown          figures to tables of text
comparison_table  many recipes in one table
page              the same as pages, report.html and comparison.html
plots             confusion matrix and costs as pictures
published         numbers that others published, read from published.csv
published_tables  these beside the run's own number
extent            the part of a set that a run covers
"""
