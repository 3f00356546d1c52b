# Two Terminals. Type `make` for the map. One Makefile: a new lesson, lab, view
# or test is found by its folder and needs no line here.

.DEFAULT_GOAL := map
SHELL := /bin/sh
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# SAN=address or SAN=thread builds everything instrumented, in a folder of its
# own; CC=clang likewise; V=1 shows the commands.
SAN ?=
BUILD := build
ifneq ($(SAN),)
BUILD := build/$(SAN)
endif
ifeq ($(CC),clang)
BUILD := $(BUILD)/clang
endif
# Where there is no cc, one of those that would be it, by its path: what is
# built is where it always is.
ifeq ($(origin CC),default)
CC := $(if $(shell command -v cc),cc,$(or $(shell command -v gcc),$(shell command -v clang),cc))
export CC
endif

CSTD     := -std=c11 -D_GNU_SOURCE
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Werror
OPTIMISE := -O2 -g
HARDEN   := -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE
LINK     := -pie -Wl,-z,relro -Wl,-z,now
ifeq ($(SAN),address)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
else ifeq ($(SAN),thread)
SANFLAGS := -fsanitize=thread
else ifeq ($(SAN),fuzz) # tracing comparisons costs more than it finds, and the
# depth of the stack differs from run to run
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined \
            -fno-sanitize-coverage=trace-cmp,stack-depth \
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(SAN),fuzz-bare)
SANFLAGS := -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp,stack-depth
else ifeq ($(SAN),) # not beside sanitizers, where Ubuntu's gcc has it, too
HARDEN   += -D_FORTIFY_SOURCE=2
else
$(error SAN is 'address', 'thread', 'fuzz' or 'fuzz-bare', not '$(SAN)')
endif
ALL_CFLAGS  = $(CSTD) $(WARN) $(OPTIMISE) $(HARDEN) $(SANFLAGS) -I. $(CFLAGS)
ALL_LDFLAGS = $(LINK) $(SANFLAGS) $(LDFLAGS)

# Asked only when something is linked: the dependency step runs before that.
CHECK_LIBS = $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)
VIZ_LIBS   = -lpcap -lncursesw -ltinfo -lmnl -lcmark
GRADE_LIBS = $(CHECK_LIBS) -ljansson -lseccomp -lpcap -lmnl -pthread

ifeq ($(V),)
say = @printf '  %-6s %s\n' $(1) $(2);
else
say =
endif

# --- what there is ---------------------------------------------------------

COMMON_SRC := $(wildcard common/*.c common/*/*.c)
VIZ_SRC    := $(wildcard viz/*.c viz/*/*.c)
CALLS_SRC  := $(wildcard viz/calls/*.c)
VIZ_SRC    := $(filter-out $(CALLS_SRC),$(VIZ_SRC))
# What the grader may use of viz: never its screens.
WITNESS_SRC := $(wildcard viz/decode/*.c viz/track/*.c viz/events/*.c \
                          viz/kernel/*.c viz/capture/*.c)
GRADE_SRC  := $(wildcard tests/grader/*.c tests/checks/*.c)
UNIT_SRC   := $(wildcard tests/unit/check_*.c)
LESSONS    := $(notdir $(patsubst %/,%,$(dir $(wildcard lessons/*/README.md))))
LABS       := $(notdir $(patsubst %/,%,$(dir $(wildcard labs/*/README.md))))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
VIZ   := $(BUILD)/bin/viz
GRADE := $(BUILD)/bin/grade
CALLS := $(BUILD)/lib/calls.so
LOSSY := $(BUILD)/bin/lossy
LIB   := $(BUILD)/lib/libcommon.a
POOL  := $(BUILD)/pool
# What one takes home needs no private network and no lessons.
POOL_SRC := $(filter-out common/netns% common/lossy% common/progress%,$(COMMON_SRC))
# A lesson's programs are built as soon as they are there, its text or not.
LESSON_PROGRAMS := $(patsubst lessons/%.c,$(BUILD)/lessons/%,$(wildcard lessons/*/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ  := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
UNIT  := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))

BENCH := $(addprefix $(BUILD)/bench/,make_capture viz_live viz_loop measure)

# `make lesson-3` finds lessons/03-datagrams by its number.
lesson_of = $(firstword $(filter $(1)-% 0$(1)-%,$(LESSONS)))
lab_of    = $(firstword $(filter $(1)-% 0$(1)-%,$(LABS)))

# In a terminal the message has said it all: no "make: *** Error" after it. A
# script gets the status; 141 is no error, the reader has seen enough (| head).
told = || { status=$$?; [ -t 1 ] || [ $$status = 141 ] || exit $$status; }

# For lesson-N and the like: commands for which there must be one.
if_lesson = $(if $(call lesson_of,$*),$(1))
if_lab    = $(if $(call lab_of,$*),$(1))
no_lesson = $(if $(call lesson_of,$*),,$(call no_such,lesson))
no_lab    = $(if $(call lab_of,$*),,$(call no_such,lab))
no_such   = { echo "There is no $(1) $*. Type make for the map." >&2; (exit 2); } $(told)

# What a person waits for is built on every processor; a -j of theirs wins.
jobs = $(if $(V),,-s) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

# --- for who learns --------------------------------------------------------

.PHONY: map shell viz doctor
map: ## this map: each lesson's state, and what to type next
	@sh tools/map.sh $(told)

lesson-%: deps-viz
	@$(no_lesson)
	@$(call if_lesson,$(MAKE) $(jobs) $(VIZ) lessons)
	@$(call if_lesson,mkdir -p .lab)
	@$(call if_lesson,$(VIZ) --lesson lessons/$(call lesson_of,$*)/README.md $(PLAYER_MODE) $(told))
PLAYER_MODE = $(if $(TEXT),--text)$(if $(PLAY),--play)

tmux-%: deps-viz ## the lesson and its two terminals in one tmux window
	@$(no_lesson)
	@$(call if_lesson,sh tools/tmux.sh $* $(told))

shell: ## a terminal inside the private lab network
	@sh tools/shell.sh $(VIZ) $(told)

viz: deps-viz ## the visualizer on loopback; ARGS= for anything else
	@$(MAKE) $(jobs) $(VIZ)
	@$(VIZ) $(or $(ARGS),-i lo) $(told)

doctor: ## what this machine allows, and how to enable the rest
	@if sh tools/deps.sh doctor; then $(MAKE) $(jobs) $(VIZ) && $(VIZ) --doctor; fi

lab-%: deps-viz
	@$(no_lab)
	@$(call if_lab,sh tools/lab.sh start $(call lab_of,$*))
	@$(call if_lab,$(MAKE) $(jobs) $(VIZ))
	@$(call if_lab,sh tools/lab.sh build $(call lab_of,$*))
	@$(call if_lab,mkdir -p .lab)
	@$(call if_lab,$(VIZ) --lesson labs/$(call lab_of,$*)/README.md $(PLAYER_MODE) $(told))

grade-%: deps-grade
	@$(no_lab)
	@$(call if_lab,$(MAKE) $(jobs) $(GRADE) $(CALLS))
	@$(call if_lab,sh tools/lab.sh start $(call lab_of,$*))
	@$(call if_lab,sh tools/grade.sh $(GRADE) $* $(if $(CHECK),--check '$(CHECK)') $(if $(SEED),--seed '$(SEED)'))

hint-%: ## the next of three hints
	@$(no_lab)
	@$(call if_lab,sh tools/lab.sh hint $(call lab_of,$*) $(told))
reset-%: ## the starter back, your work kept as a backup
	@$(no_lab)
	@$(call if_lab,sh tools/lab.sh reset $(call lab_of,$*) $(told))
solution-%: ## a solution, after a pass
	@$(no_lab)
	@$(call if_lab,sh tools/lab.sh solution $(call lab_of,$*) $(told))

# --- for who builds --------------------------------------------------------

.PHONY: all lessons test lint unit format clean deps-viz deps-grade deps-test
all: deps-test ## build everything
	@$(MAKE) $(jobs) $(VIZ) $(GRADE) $(CALLS) lessons $(UNIT) compile_commands.json

lessons: $(LESSON_PROGRAMS) $(LOSSY)

# DEPS=skip: the step was done by who calls (nested makes).
deps-viz deps-grade deps-test: deps-%:
	@$(if $(filter skip,$(DEPS)),:,sh tools/deps.sh $*)

test: deps-test ## everything CI runs
	@DEPS=skip sh tests/run.sh

lint: ## floors, headers alone, format
	@sh tests/lint.sh

.PHONY: pool install-pool
pool: $(POOL)/libpool.a $(POOL)/pool.pc ## libpool.a, its one header and its .pc, in build/pool
	@echo "$(POOL): pool.h libpool.a pool.pc. docs/common.md begins with three programs."

PREFIX ?= /usr/local
install-pool: pool ## the same under PREFIX=/usr/local: include, lib, lib/pkgconfig
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 $(POOL)/pool.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(POOL)/libpool.a $(DESTDIR)$(PREFIX)/lib
	sh tools/pool.sh pc /../.. >$(DESTDIR)$(PREFIX)/lib/pkgconfig/pool.pc

unit: $(UNIT) ## the unit tests of this build (SAN=address, SAN=thread)
	@sh tests/unit.sh $(UNIT)

# SAN=fuzz or fuzz-bare, CC=clang: with libFuzzer; else each target replays the
# inputs named, and built by afl-clang-fast it is AFL++'s.
.PHONY: fuzz fuzz-afl fuzz-programs
fuzz: deps-test ## fuzz all targets, or ONLY=decode: FUZZ_RUNS=100000000 each, or SECONDS=60 each; BARE=1
	@ONLY='$(ONLY)' FUZZ_RUNS='$(FUZZ_RUNS)' FUZZ_SECONDS='$(SECONDS)' BARE='$(BARE)' sh tests/fuzz.sh long

fuzz-afl: deps-test ## the same with AFL++
	@ONLY='$(ONLY)' FUZZ_RUNS='$(FUZZ_RUNS)' FUZZ_SECONDS='$(SECONDS)' BARE='$(BARE)' sh tests/fuzz.sh afl

fuzz-programs: $(FUZZ)

.PHONY: soak
soak: deps-test ## what takes long: 100,000 connections, 15,000 at once, each submission RUNS=50 times
	@$(MAKE) $(jobs) $(BUILD)/tests/check_pool_many $(GRADE) $(CALLS)
	@CYCLES=100000 LIVE=15000 $(BUILD)/tests/check_pool_many
	@RUNS='$(or $(RUNS),50)' sh tests/submissions.sh

.PHONY: bench bench-programs
bench: deps-test ## how fast it is, as a table; ONLY=viz, ONLY=pool, JSON=FILE
	@$(if $(filter pool,$(ONLY)),,$(MAKE) --no-print-directory $(VIZ) bench-programs)
	@ONLY='$(ONLY)' JSON='$(JSON)' sh tests/bench/run.sh

bench-programs: $(BENCH)

.PHONY: docs coverage
coverage: deps-test ## how much of viz/decode the tests reach
	@SHOW=1 sh tests/decode-coverage.sh

docs: deps-viz ## the pictures of README and docs, made by viz itself
	@$(MAKE) $(jobs) $(VIZ)
	@VIZ=$(VIZ) sh tools/docs.sh

format: ## clang-format every file in place
	@git ls-files '*.c' '*.h' | grep -v '^tests/submissions/' | xargs clang-format -i

clean: ## remove what was built; work/ and .lab/ are yours and stay
	@rm -rf build compile_commands.json

compile_commands.json: Makefile $(COMMON_SRC) $(VIZ_SRC) $(GRADE_SRC)
	@sh tools/compile_commands.sh '$(CC) $(CSTD) $(WARN) -I.' > $@.part && mv $@.part $@

# --- how -------------------------------------------------------------------

# Rebuilt when the flags change, not only when a file does.
FLAGS := $(BUILD)/.flags
.PHONY: force
$(FLAGS): force
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@

$(BUILD)/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The kit's version, in the grader's reports; compiled anew when it changes.
KIT := $(BUILD)/.kit
$(KIT): force
	@mkdir -p $(@D)
	@sh tools/version.sh >$@.part; cmp -s $@.part $@ || cp $@.part $@; rm -f $@.part
$(BUILD)/obj/tests/grader/json.o: $(KIT)
$(BUILD)/obj/tests/grader/json.o: private ALL_CFLAGS += -DKIT='"$(shell cat $(KIT))"'

$(LIB): $(call objects,$(COMMON_SRC))
	@mkdir -p $(@D)
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

# Position independent, so that it also fits into a shared library.
$(POOL)/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(ALL_CFLAGS) -fPIC -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c -o $@ $<

$(POOL)/pool.h: tools/pool.sh LICENSE $(KIT) $(wildcard common/*.h)
	@mkdir -p $(@D)
	@sh tools/pool.sh header >$@

$(POOL)/pool.pc: tools/pool.sh $(KIT)
	@mkdir -p $(@D)
	@sh tools/pool.sh pc >$@

$(POOL)/libpool.a: $(patsubst %.c,$(POOL)/obj/%.o,$(POOL_SRC)) $(POOL)/pool.h
	$(call say,AR,$@) sh tools/pool.sh join $@ $(filter %.o,$^)

$(BUILD)/lib/libviz.a: $(call objects,$(filter-out viz/main.c,$(VIZ_SRC)))
	@mkdir -p $(@D)
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/lib/libgrade.a: $(call objects,$(filter-out tests/grader/main.c,$(GRADE_SRC)))
	@mkdir -p $(@D)
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

$(VIZ): $(call objects,viz/main.c) $(BUILD)/lib/libviz.a $(LIB) | $(CALLS)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(VIZ_LIBS)

# The checks register themselves by name in one table, so every object is
# linked; no student object ever is.
$(GRADE): $(call objects,$(GRADE_SRC) $(WITNESS_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(GRADE_LIBS)

# The UDP relay of lesson 3: common and nothing else, so that it needs no
# library.
$(LOSSY): $(call objects,tools/lossy.c) $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^

# Preloaded into a student's program, so built without our sanitizers, and
# without line numbers: a debugger's "step" does not enter it.
$(CALLS): $(CALLS_SRC) $(wildcard viz/calls/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CSTD) $(WARN) -O2 -fPIC -shared -I. -o $@ $(filter %.c,$^) -ldl -pthread

# The pool's benchmark; what is linked with other libraries: tests/bench/pool.sh.
$(BUILD)/bench/load: $(call objects,$(wildcard tests/bench/load*.c))
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/bench/count: $(call objects,tests/bench/count.c)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/bench/peer_epoll $(BUILD)/bench/peer_pool: $(BUILD)/bench/%: \
    $(BUILD)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^ -pthread

# Lessons are built as a student builds them: no library but our own, which a
# lesson takes from only what it includes (the linker leaves out the rest).
$(BUILD)/lessons/%: lessons/%.c $(LIB) $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CSTD) $(WARN) $(OPTIMISE) $(SANFLAGS) -I. -pthread -MMD -MP -MF $@.d -o $@ $< $(LIB)

# A unit test links all of viz, common and the grader's rooms it asks for.
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/lib/libgrade.a $(BUILD)/lib/libviz.a $(LIB) $(FLAGS) | $(CALLS)
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
	  $(BUILD)/lib/libgrade.a $(BUILD)/lib/libviz.a $(LIB) $(VIZ_LIBS) $(GRADE_LIBS)

# The calls that these tests make fail: the first word of each row of a table.
FAULTS = free $(shell grep -o '^    X.[a-z0-9_]*' tests/unit/$(@F).c | cut -c7-)
$(BUILD)/tests/check_pool_faults: private FAULTS += clock_gettime time
$(BUILD)/tests/check_pool_faults $(BUILD)/tests/check_faults: private \
    ALL_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,$(FAULTS))
comma := ,

# libFuzzer brings its own main; without it tests/fuzz/main.c replays inputs, or
# is AFL++'s persistent mode.
ifneq ($(filter fuzz fuzz-bare,$(SAN)),)
FUZZ_DRIVER := -fsanitize=fuzzer
else
FUZZ_DRIVER := tests/fuzz/main.c
endif
$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/main.c $(BUILD)/lib/libviz.a $(LIB) $(FLAGS)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<) $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(FUZZ_DRIVER) \
	  $(BUILD)/lib/libviz.a $(LIB) $(VIZ_LIBS)

# What the benchmarks measure with.
$(BUILD)/bench/make_capture: $(call objects,$(wildcard tests/bench/make_*.c) tests/bench/frames.c)
$(BUILD)/bench/viz_live: $(call objects,$(filter-out %_loop.c,$(wildcard tests/bench/viz_*.c))) $(LIB)
$(BUILD)/bench/viz_live: private BENCH_LIBS = -lutil
$(BUILD)/bench/viz_loop: $(call objects,tests/bench/viz_loop.c)
$(BUILD)/bench/viz_loop: private BENCH_LIBS = -lpcap
$(BUILD)/bench/measure: $(call objects,tests/bench/measure.c) $(LIB)
$(BENCH):
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(BENCH_LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
