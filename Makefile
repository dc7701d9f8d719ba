# Two commands do everything on a fresh machine with Python 3.10 or later, git and make:
#   make book    the whole book, executed and built      make test    every check
PYTHON  ?= python3
PROFILE ?= quick
NAME    ?=
PDF     ?=
IN_ENV  := .venv/bin/python

.PHONY: help book test env notebook lab mutants benchmarks sync strip lock clean
.DEFAULT_GOAL := help

help:            ## this list
	@echo "usage: make TARGET [PROFILE=quick|colab|paper]"
	@sed -n 's/^\([a-z]*\): .*## /  \1\t/p; s/^\([a-z]*\):  *## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14

book: env        ## execute and build the book (PROFILE=colab or paper computes more, PDF=1 prints it too)
	@$(IN_ENV) tools/book.py --profile $(PROFILE) $(if $(PDF),--pdf)

test: env        ## every check, on the book that is built (none: three pages are built for it)
	@$(IN_ENV) tools/check.py

env:             ## the local environment in .venv, made or left alone when it is up to date
	@$(PYTHON) tools/environment.py

notebook: env    ## execute one chapter: make notebook NAME=02_guided_filter [PROFILE=colab]
	@$(IN_ENV) -m girlib.cli notebook "$(NAME)" -p profile=$(PROFILE) -o "_build/notebooks/$(NAME).ipynb"

lab: env         ## open JupyterLab on the chapters
	@.venv/bin/jupyter lab notebooks

mutants: env     ## break the filter and the chapters on purpose: every break must be noticed (some minutes)
	@$(IN_ENV) tests/mutants.py

benchmarks: env  ## time the filters beside OpenCV and kornia (some minutes)
	@$(IN_ENV) benchmarks/filters.py

sync: env        ## bring notebooks and generated texts into their stored form
	@$(IN_ENV) tools/notebooks.py

strip: sync      ## the same: no outputs, no execution counts

lock: env        ## resolve the dependencies again
	@$(IN_ENV) tools/lock.py

clean:           ## remove what was built (the environment stays; rm -r .venv removes it)
	rm -rf _build
