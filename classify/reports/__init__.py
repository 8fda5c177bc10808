"""Reports of evaluations, comparisons and fusions.

report            all files of a report, written together
summary           predictions to figures
markdown          figures to tables of text
comparison_table  many recipes in one table
fusion_report     all files of the report of a fusion, written together
fusion_markdown   the report of a fusion as text
fusion_plots      accuracies, weights and gains of a fusion as pictures
page              reports as pages, such as report.html and comparison.html
plots             confusion matrix and costs as pictures
published         numbers that others published, read from published.csv
published_tables  published numbers beside the run's own number
extent            the part of a set that a run covers
"""
