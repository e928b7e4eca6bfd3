# What a person does here; `make` alone lists it. No logic: each target calls one program.
# A copy of its own: COLOPHON_HOME=<folder> PORT_SHIFT=20000 before any target.

PYTHON := .venv/bin/python
ENVIRONMENT := .venv/complete

# A run starts hundreds of processes: what one of them compiled, the next need not compile again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test check model soak bench clauses topics users dead-letters rebuild testdata environment lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run
run: $(ENVIRONMENT) ## start everything on this machine, load the demo, say where to look; Ctrl-C stops
	@$(PYTHON) -m deploy.local.run

demo: $(ENVIRONMENT) ## tell the story against what runs: a deposit, who sees its references, a flip
	@$(PYTHON) -m deploy.local.within -m deploy.demo story

##@ Check
test: $(ENVIRONMENT) ## run the tests on a broker and a store of their own; ARGS="-n0 -k law" chooses
	@$(PYTHON) -m pytest -m "not soak" -n 3 --dist loadfile --no-loadscope-reorder --junitxml=.local/test-results.xml $(ARGS)

check: $(ENVIRONMENT) ## lint, format, types, imports, generated documents, models
	@.ci/check

model: $(ENVIRONMENT) ## check the models of docs/models with Alloy; ARGS="show NAME" tells what a command found
	@$(PYTHON) -m deploy.models $(or $(ARGS),check)

soak: $(ENVIRONMENT) ## run the long loops of the laws
	@$(PYTHON) -m pytest -m soak $(ARGS)

bench: $(ENVIRONMENT) ## measure against a bare baseline, NAME=projector; `make bench NAME=` lists the names
	@$(PYTHON) -m tests.bench $(NAME)

clauses: $(ENVIRONMENT) ## write docs/clauses.md: each clause of the policies and the test that shows it
	@$(PYTHON) -m deploy.clauses

##@ Operate what runs
topics: $(ENVIRONMENT) ## list the topics; ARGS=apply makes the missing ones
	@$(PYTHON) -m deploy.local.within -m shared.kafka topics $(or $(ARGS),list)

users: $(ENVIRONMENT) ## list the broker's users; ARGS="add indexer-78" makes one or a new password
	@$(PYTHON) -m deploy.local.within -m shared.kafka users $(or $(ARGS),list)

dead-letters: $(ENVIRONMENT) ## list records that could not be applied; ARGS="replay --group G --all"
	@$(PYTHON) -m deploy.local.within -m shared.kafka dead-letters $(or $(ARGS),list)

rebuild: $(ENVIRONMENT) ## rebuild works and search indexes beside the live ones; ARGS=back|abandon|status
	@$(PYTHON) -m deploy.local.within --as distribution -m services.distribution.rebuild $(ARGS)

testdata: $(ENVIRONMENT) ## copy what runs for tests, with nobody in it; ARGS="--to FOLDER accounts" chooses
	@$(PYTHON) -m deploy.local.within -m deploy.testdata $(ARGS)

##@ Keep
environment: $(ENVIRONMENT) ## make .venv as the lock says; every other target does it when needed

$(ENVIRONMENT): requirements-dev.txt deploy/local/uv.txt
	@deploy/local/environment.sh

lock: $(ENVIRONMENT) ## write requirements*.txt and the sums of jars anew; ARGS=--upgrade moves them
	@deploy/local/lock.sh $(ARGS)

clean: $(ENVIRONMENT) ## remove state, logs and keys of the stopped copy: the next run begins anew
	@$(PYTHON) -m deploy.local.home
