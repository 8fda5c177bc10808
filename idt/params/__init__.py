"""Options: every default, range and help text of an extraction, and the sizes that follow from them.

extraction   the options of an extraction
option       fields of a dataclass that are options of a command, too
bounds       the range of a number
decoder      decoders of video files: OpenCV or PyAV
layout       descriptors, their order and sizes
flow_choice  the flow: a named method, a function or files
flow_export  the options of idt-flow
"""
