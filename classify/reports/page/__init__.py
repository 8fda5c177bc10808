"""The page of a report, ``report.html`` or ``comparison.html``: one file without outside requests.

evaluation  the page of an evaluation
comparison  the page of several recipes
fusion      the page of a fusion
videos      test videos with their predictions, and which of them have pictures
charts      bars, points and curves as SVG
template    the templates and how they are filled
"""
