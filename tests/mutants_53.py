"""Wrong edits of the chapter "Several GPUs, several machines": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "53_several_machines.ipynb"

EDITS = [
    ("halves added instead of averaged",
     "gap = (whole - sum(halves) / 2)", "gap = (whole - sum(halves))"),
    ("both processes given the same half",
     "halves = [gradient(network, samples[:2]), gradient(network, samples[2:])]",
     "halves = [gradient(network, samples[:2]), gradient(network, samples[:2])]"),
    ("a part of three weighted like a part of one",
     "weighed = (3 * gradient(network, samples[:3])", "weighed = (2 * gradient(network, samples[:3])"),
    ("every process takes the first share",
     "batches = [loader(tag, 4, 8, run.seed, length, process=k,", "batches = [loader(tag, 4, 8, run.seed, length, process=0,"),
    ("an exchange that one process sleeps through",
     "for parameter in same:\n            parameter.grad = mean.clone()", "for parameter in same[:1]:\n            parameter.grad = mean.clone()"),
    ("a network without batch normalisation taken for one that has it",
     '"FDKN": gap_of("fdkn")', '"FDKN": gap_of("svlrm", width=8, depth=1)'),
    ("an exchange that grows with the processes and shares nothing",
     "return t1 / (t1 / p + 2 * (p - 1) / p", "return t1 / (t1 + 2 * (p - 1) / p"),
    ("a sweep in another folder after the power cut",
     "before = [state_of(home / cell.name) for cell in cells]", "before = [state_of(home / cell.task) for cell in cells]"),
    ("two cells with one seed",
     '[run.seed, run.seed + 1], {"width": 8', '[run.seed], {"width": 8'),
    ("the training of a record repeated with another seed",
     'Recipe(**record.trained["recipe"])', 'Recipe(**{**record.trained["recipe"], "seed": 7})'),
]
