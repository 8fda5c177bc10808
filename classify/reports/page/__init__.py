"""Pages of reports, ``report.html`` and ``comparison.html``, each one file that requests nothing from outside.

evaluation  the page of an evaluation
comparison  the page of several recipes
fusion      the page of a fusion
untrimmed   the page of an evaluation of untrimmed video
videos      test videos with their predictions, and which of them have pictures
charts      bars, points and curves as SVG
template    the templates and how they are filled
"""
