# Symphony. `make` alone lists what there is. Each target installs what it needs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What people pass to `make local`.
PORT ?= 8787
DATA ?= .symphony
STACK ?= auto
FUNCTIONS ?= inline
ARGS ?=

FUNCTION_NAMES := authorize connect disconnect message fanout checkpoint stream
ARCH ?= arm64
GO ?= go
NPM ?= npm
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

AWS_PACKAGES := ./internal/awstest/... ./internal/awscall/... ./internal/streamsource/... ./internal/dynamostore/... ./internal/dynamodirectory/... ./internal/s3store/... ./internal/apigwsender/... ./internal/directory/... ./functions/... ./test/awslocal/... ./test/awscalls/... ./test/awscli/... ./test/awsfaults/...

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "; print "Symphony: make <target>\n"} /^[a-zA-Z0-9_-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nOf `make local`: PORT=%s DATA=%s STACK=auto|embedded|localstack FUNCTIONS=inline|process ARGS="--help"\n' '$(PORT)' '$(DATA)'

# ---------------------------------------------------------------- run

.PHONY: local
local: need-go need-node ## Run everything on this machine: gateway, functions, store, whiteboard
	@[ -x build/symphony-local ] || echo "· building the local stack and the whiteboard (the first time this takes a minute or two)"
	@$(MAKE) --no-print-directory --silent -j2 dashboard whiteboard
	@$(MAKE) --no-print-directory build/symphony-local
	@if [ "$(FUNCTIONS)" = process ]; then $(MAKE) --no-print-directory functions ARCH=$$($(GO) env GOARCH); fi
	@exec build/symphony-local --port '$(PORT)' --data '$(DATA)' --stack '$(STACK)' --functions '$(FUNCTIONS)' $(ARGS)

# The examples' pages: `make whiteboard`, and so on.
EXAMPLES := whiteboard notes editors

define example
.PHONY: $(1)
$(1): examples/$(1)/dist/index.html
examples/$(1)/dist/index.html: client/dist/index.js examples/$(1)/node_modules/.package-lock.json $(shell find examples/$(1) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@echo "· building the page of examples/$(1)"
	@cd examples/$(1) && $$(NPM) run --silent build
endef
$(foreach name,$(EXAMPLES),$(eval $(call example,$(name))))

# The dashboard's page, which the programs that serve it embed.
.PHONY: dashboard
dashboard: dashboard/dist/app/index.html

dashboard/dist/app/index.html: dashboard/node_modules/.package-lock.json $(shell find dashboard -type f -not -name '*.go' -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/unit/*' -not -path '*/browser/*' 2>/dev/null)
	@echo "· building the dashboard's page"
	@cd dashboard && $(NPM) run --silent build >/dev/null

# The client as the examples use it: they depend on `file:../../client`.
client/dist/index.js: client/node_modules/.package-lock.json client/package.json client/vite.config.ts client/tsconfig.build.json $(shell find client/src -type f 2>/dev/null)
	@echo "· building the client"
	@cd client && $(NPM) run --silent build >/dev/null

# One rule for every Node package: `npm ci` when its lock file is newer than
# what is installed.
%/node_modules/.package-lock.json: %/package-lock.json
	@echo "· installing $* (npm ci)"
	@cd $* && $(NPM) ci --silent --no-fund --no-audit && touch node_modules/.package-lock.json

# ---------------------------------------------------------------- build

.PHONY: build
build: need-go functions build/symphony-local ## Build the functions (bootstrap files, ARCH=arm64 or amd64) and the local stack

# Go knows best what is stale: this always asks it, and it answers at once.
.PHONY: build/symphony-local
build/symphony-local:
	@$(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o $@ ./localdev

# The client as npm would publish it, for the binary to hold: `symphony compose`
# puts it into new projects.
CLIENT_PACKED := build/client-packed
$(CLIENT_PACKED): client/node_modules/.package-lock.json client/package.json client/README.md $(shell find client/src -type f 2>/dev/null)
	@echo "· packing the client"
	@mkdir -p build && rm -f internal/scaffold/client/*.tgz
	@cd client && $(NPM) pack --silent --pack-destination ../internal/scaffold/client >/dev/null
	@touch $@

.PHONY: symphony
symphony: need-go need-node build/symphony ## Build the command line, build/symphony, with everything it needs inside

.PHONY: build/symphony
build/symphony: $(CLIENT_PACKED) dashboard/dist/app/index.html
	@$(GO) build -trimpath -ldflags '-X main.version=$(VERSION) -X main.source=$(CURDIR)' -o $@ ./cmd/symphony

.PHONY: functions
functions: $(FUNCTION_NAMES:%=build/functions/%/bootstrap)

# `provided.al2023` runs a file called bootstrap; lambda.norpc leaves out the
# code of the old go1.x runtime. -trimpath and no VCS stamp: the same source gives
# the same bytes anywhere.
.PHONY: $(FUNCTION_NAMES:%=build/functions/%/bootstrap)
$(FUNCTION_NAMES:%=build/functions/%/bootstrap): build/functions/%/bootstrap:
	@GOOS=linux GOARCH=$(ARCH) CGO_ENABLED=0 $(GO) build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o $@ ./functions/$*

# ---------------------------------------------------------------- check

.PHONY: test
test: need-go need-node test-go test-node test-client test-dashboard ## All tests that need no AWS account (Java and Chromium are used when present)

.PHONY: test-go
test-go: $(CLIENT_PACKED) internal/yjs/oracle/node_modules/.package-lock.json internal/protocol/golden/node_modules/.package-lock.json
	@echo "· Go tests"
	@$(AGAIN) 'the Go tests' $(GO) test -timeout 30m $$($(GO) list ./... | grep -vxF -f <($(GO) list $(AWS_PACKAGES) 2>/dev/null))

.PHONY: test-node
test-node: whiteboard client/node_modules/.package-lock.json test/e2e/node_modules/.package-lock.json build/symphony-local build/symphony
	@echo "· whiteboard: types and unit tests"
	@cd examples/whiteboard && $(AGAIN) "the whiteboard's tests" $(NPM) run --silent check
	@echo "· end to end: y-websocket providers and Chromium against the local stack; symphony compose, dev"
	@cd test/e2e && SYMPHONY_LOCAL='$(CURDIR)/build/symphony-local' SYMPHONY='$(CURDIR)/build/symphony' $(AGAIN) 'test/e2e' $(NPM) test --silent

.PHONY: test-client
test-client: client/dist/index.js client/test/react-18/node_modules/.package-lock.json notes editors check-api build/symphony-local
	@echo "· client: types, unit tests, size, and end to end against the local stack and in Chromium"
	@cd client && $(AGAIN) "the client's unit tests" $(NPM) run --silent check && $(NPM) run --silent size
	@cd client && SYMPHONY_LOCAL='$(CURDIR)/build/symphony-local' $(AGAIN) "the client's tests end to end" $(NPM) run --silent test:e2e

.PHONY: test-dashboard
test-dashboard: dashboard
	@echo "· dashboard: types, unit tests, and every view in Chromium"
	@$(MAKE) --no-print-directory build/symphony-local
	@cd dashboard && $(AGAIN) "the dashboard's unit tests" $(NPM) run --silent check
	@cd dashboard && SYMPHONY_LOCAL='$(CURDIR)/build/symphony-local' $(AGAIN) "the dashboard's tests in Chromium" $(NPM) run --silent test:browser

.PHONY: api
api: client/node_modules/.package-lock.json client/typedoc/node_modules/.package-lock.json ## Renew docs/api, the client's API reference, from its doc comments
	@cd client/typedoc && $(NPM) run --silent make

.PHONY: check-api
check-api: client/node_modules/.package-lock.json client/typedoc/node_modules/.package-lock.json
	@echo "· client: docs/api says what the doc comments say"
	@cd client/typedoc && $(NPM) run --silent check

.PHONY: test-aws
test-aws: need-go functions-host ## The AWS adapters on DynamoDB Local and an S3 engine (fetches them; needs Java and Maven)
	@echo "· AWS adapters on real engines"
	@$(AGAIN) 'the AWS adapters' $(GO) test -timeout 40m $(AWS_PACKAGES)

.PHONY: functions-host
functions-host:
	@$(MAKE) --no-print-directory functions ARCH=$$($(GO) env GOARCH)

.PHONY: race
race: need-go ## The packages with concurrency under the race detector
	@$(AGAIN) 'the race detector' $(GO) test -timeout 30m -race ./internal/room/... ./internal/dashboard ./internal/dashboard/probe ./internal/memstore ./internal/pebblestore ./internal/gateway ./internal/handler ./internal/rtclient ./internal/lambdaruntime ./internal/apigwsender

.PHONY: lint
lint: need-go ## Formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofmt'd (make fmt):"; echo "$$unformatted"; exit 1; fi
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...
	@$(GO) mod verify >/dev/null && $(GO) mod tidy -diff

# Runs a suite, and in `make check` once more when it fails: see the script.
AGAIN := $(CURDIR)/scripts/again.sh

.PHONY: check
check: export SYMPHONY_AGAIN = 1
check: ## What CI runs: lint, every test, nothing skipped
	@rm -f build/again.txt
	@$(MAKE) --no-print-directory lint
	@# The engine's differential sessions and the property tests in TypeScript begin at a
	@# fixed seed here, so that a green commit stays green; `make test` begins anywhere,
	@# and `make fuzz` goes on.
	@SYMPHONY_REQUIRE_ALL=1 SYMPHONY_FUZZ_SEED=$${SYMPHONY_FUZZ_SEED:-1} SYMPHONY_SEED=$${SYMPHONY_SEED:-1} $(MAKE) --no-print-directory test
	@SYMPHONY_REQUIRE_ALL=1 $(MAKE) --no-print-directory test-aws
	@$(MAKE) --no-print-directory race
	@$(MAKE) --no-print-directory build ARCH=amd64
	@$(MAKE) --no-print-directory build ARCH=arm64
	@SYMPHONY_REQUIRE_ALL=1 $(MAKE) --no-print-directory test-infra check-template
	@[ ! -s build/again.txt ] || { echo "!!! Passed only when they ran a second time (each is a bug, see above):"; sort -u build/again.txt; }
	@echo "make check: all passed"

.PHONY: fuzz
fuzz: need-go need-node internal/yjs/oracle/node_modules/.package-lock.json ## 20,000 differential sessions of the update engine against real Yjs
	@SYMPHONY_REQUIRE_ALL=1 SYMPHONY_FUZZ_SESSIONS=$${SYMPHONY_FUZZ_SESSIONS:-20000} $(GO) test ./internal/yjs -run '^TestDifferential' -count=1 -timeout 3h -v

.PHONY: fuzz-native
# Inputs are counted, because Go sometimes fails a target whose time is up (context deadline exceeded).
fuzz-native: need-go ## Each native fuzz target of the update engine for FUZZTIME (200000x: inputs)
	@for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' internal/yjs/*_test.go); do \
	  $(GO) test ./internal/yjs -run '^$$' -fuzz "^$$f\$$" -fuzztime $${FUZZTIME:-200000x} || exit 1; done

# ---------------------------------------------------------------- speed

# The reference profile: 4 in a room, each an edit per 10 s and a presence per 5 s.
LOAD_ARGS ?=
BENCH_TIME ?= 300ms
BENCH_COUNT ?= 5
BENCH_PACKAGES := ./internal/protocol ./internal/handler ./internal/gateway ./internal/pebblestore ./internal/lambdaruntime ./internal/yjs

.PHONY: build/loadtest
build/loadtest:
	@$(GO) build -trimpath -o $@ ./cmd/loadtest

.PHONY: load
load: need-go build/symphony-local build/loadtest ## Load test: 2,000 users in 500 rooms on this machine, about a minute
	@mkdir -p build/load
	@build/loadtest --users 2000 --duration 30s --settle 5s --churn 0.2 --json build/load/load.json --report build/load/load.html $(LOAD_ARGS)

.PHONY: load-full
load-full: need-go build/symphony-local build/loadtest ## Load test: 20,000 users in 5,000 rooms, 60 s of edits (about 4 minutes)
	@mkdir -p build/load
	@build/loadtest --users 20000 --workers 2 --gateways 2 --duration 60s --settle 10s --drain 60s --sample 500 --json build/load/load-full.json --report build/load/load-full.html $(LOAD_ARGS)

.PHONY: load-checkpoint
load-checkpoint: need-go ## Checkpoint 5,000 dirty rooms of 10 KB, three times: how long, and the p99 of 200 edits a second alone and beside it
	@$(GO) test ./internal/pebblestore -run '^$$' -bench '^BenchmarkSweep$$' -benchtime 1x -timeout 10m

.PHONY: load-room
load-room: need-go build/symphony-local build/loadtest ## Load test: 1,000 members in one room, ten edits a second
	@mkdir -p build/load
	@build/loadtest --users 1000 --room-size 1000 --edit-every 100s --presence-every 10s --duration 30s --settle 5s --json build/load/load-room.json --report build/load/load-room.html $(LOAD_ARGS)

.PHONY: simulate
simulate: need-go ## Run the simulation of AWS's quotas and put its tables into docs/SCALING.md
	@$(GO) run ./cmd/simulate --write docs/SCALING.md

.PHONY: load-compare
load-compare: need-go need-node build/symphony-local build/loadtest loadtest/targets/node_modules/.package-lock.json ## Symphony and y-websocket, one after the other, at 8,000 users and at saturation
	@loadtest/compare.sh

.PHONY: bench
bench: need-go ## Benchmarks of the message path, compared with the committed baseline
	@mkdir -p build/bench
	@$(GO) test $(BENCH_PACKAGES) -run '^$$' -bench . -benchmem -benchtime $(BENCH_TIME) -count $(BENCH_COUNT) -timeout 60m | tee build/bench/new.txt
	@cd benchmarks && $(GO) tool benchstat baseline.txt ../build/bench/new.txt

.PHONY: bench-baseline
bench-baseline: need-go ## Take the benchmarks of this machine as the baseline
	@$(GO) test $(BENCH_PACKAGES) -run '^$$' -bench . -benchmem -benchtime $(BENCH_TIME) -count $(BENCH_COUNT) -timeout 60m | tee benchmarks/baseline.txt

.PHONY: bench-yjs
bench-yjs: need-go need-node internal/yjs/oracle/node_modules/.package-lock.json ## The update engine against Yjs in Node and y-crdt
	@SYMPHONY_BENCH=1 $(GO) test ./internal/yjs -run '^TestBenchmarkAgainstYjs$$' -count=1 -v -timeout 30m

# ---------------------------------------------------------------- deploy

# What people pass to the targets below (docs/DEPLOY.md):
#   make deploy STAGE=prod CDK_CONTEXT='alarmEmail=ops@example.com logDays=90' ARGS='--require-approval never'
STAGE ?= dev
CDK_CONTEXT ?=

# Who may connect is the secret in /symphony/<stage>/secret unless it is said otherwise.
CDK_OPTIONS = -c stage=$(STAGE) $(if $(filter auth=% secretParameter=%,$(CDK_CONTEXT)),,-c secretParameter=/symphony/$(STAGE)/secret) $(addprefix -c ,$(CDK_CONTEXT)) $(ARGS)
CDK_STACK = symphony-$(STAGE)

# Nothing is sent anywhere and nobody is asked for news; CDK still runs on Node 20.
CDK_ENV = CDK_DISABLE_VERSION_CHECK=1 CDK_DISABLE_CLI_TELEMETRY=true JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20,22 GOFLAGS=-mod=readonly
CDK = cd infra && $(CDK_ENV) node_modules/.bin/cdk

.PHONY: zips
zips: need-go ## Pack the functions as they are deployed (arm64), with their sizes
	@$(MAKE) --no-print-directory functions ARCH=arm64
	@cd infra && $(GO) run ./cmd/zip

.PHONY: synth
synth: need-node zips infra/node_modules/.package-lock.json ## The CloudFormation template, in build/cdk.out; needs no AWS account
	@$(CDK) synth --quiet $(CDK_OPTIONS)
	@echo "· build/cdk.out/$(CDK_STACK).template.json"

.PHONY: deploy
deploy: need-node zips infra/node_modules/.package-lock.json ## Deploy to AWS: STAGE=dev CDK_CONTEXT='key=value ...' (docs/DEPLOY.md)
	@more=$$(cd infra && $(GO) run ./cmd/deployment check $(CDK_OPTIONS)) && \
	  $(CDK) deploy --require-approval never $(CDK_OPTIONS) $$more $(CDK_STACK) && \
	  $(GO) run ./cmd/deployment resume $(CDK_OPTIONS)

.PHONY: diff
diff: need-node zips infra/node_modules/.package-lock.json ## What a deployment would change
	@$(CDK) diff $(CDK_OPTIONS) $(CDK_STACK)

.PHONY: destroy
destroy: need-node zips infra/node_modules/.package-lock.json ## Remove a stage from AWS; asks first. A stage that retains its data keeps it
	@$(CDK) destroy $(CDK_OPTIONS) $(CDK_STACK)

.PHONY: bootstrap
bootstrap: need-node zips infra/node_modules/.package-lock.json ## Once per AWS account and region: what CDK itself needs there
	@$(CDK) bootstrap $(CDK_OPTIONS)

.PHONY: synth-update
synth-update: need-go need-node ## Renew the template snapshot and the list of permissions; read the difference
	@cd infra && $(CDK_ENV) $(GO) test ./stack -run 'Snapshot|Agreed' -update

.PHONY: cost
cost: need-go ## Renew docs/COST.md from the prices in internal/cost
	@mkdir -p build && $(GO) run ./internal/cost/cmd/cost -markdown > build/COST.md && mv build/COST.md docs/COST.md

.PHONY: test-infra
test-infra: need-go need-node ## The stack's tests: permissions, cdk-nag, idle cost, snapshot, reproducible zips
	@echo "· infrastructure"
	@cd infra && $(CDK_ENV) $(GO) vet ./... && $(CDK_ENV) $(AGAIN) 'the infrastructure' $(GO) test -timeout 30m ./...
	@$(GO) build -o build/staticcheck honnef.co/go/tools/cmd/staticcheck && cd infra && ../build/staticcheck ./... && $(GO) mod tidy -diff

.PHONY: check-template
check-template: synth ## cfn-lint on the template, and a smoke test on a mock of CloudFormation
	@infra/tools/python.sh cfn-lint --config-file infra/.cfnlintrc.yaml build/cdk.out/$(CDK_STACK).template.json
	@infra/tools/python.sh python infra/tools/smoke.py build/cdk.out $(CDK_STACK)

# ---------------------------------------------------------------- keep

.PHONY: fmt
fmt: need-go ## Format the Go code
	@gofmt -w $$(git ls-files -co --exclude-standard '*.go')

.PHONY: golden
golden: internal/protocol/golden/node_modules/.package-lock.json ## Make the golden frames anew from real y-protocols
	@cd internal/protocol/golden && node make.mjs

.PHONY: clean
clean: ## Remove what was built and installed here (never .symphony, your data)
	@rm -rf build bin cdk.out dashboard/dist/app internal/scaffold/client/*.tgz
	@find . -name node_modules -prune -exec rm -rf {} + -o -path './examples/*/dist' -prune -exec rm -rf {} +

.PHONY: need-go need-node
need-go:
	@scripts/need.sh go
need-node:
	@scripts/need.sh node
