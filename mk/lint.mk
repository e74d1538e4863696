# `make lint` and `make fmt`.  The checks are in scripts/lint; this file tells
# it how each source is compiled, so that clang-tidy sees what gcc sees.

# a list of "file<TAB>flags", one source a line, of all modules and unit tests
define LINT_FLAGS
$(foreach m,$(MODULES),$(foreach s,$($(m)_SRCS),$(s)	$($(m)_CPPFLAGS)
))
$(foreach t,$(UNIT_SRCS:%.c=%),$(t).c	-Itests/unit -I$(dir $(t)) $(addprefix -I,$($(t)_USES)) $(sort $(foreach u,$($(t)_USES),$($(u)_CPPFLAGS))) $(shell pkg-config --cflags $($(t)_PKGS) 2>/dev/null)
))
endef

.PHONY: lint fmt lint-flags
lint: lint-flags ## format, clang-tidy, cppcheck, fences, promises; clean or exit 1
	@scripts/lint

lint-flags:
	$(shell mkdir -p build/lint)$(file >build/lint/flags,$(LINT_FLAGS))
	$(file >build/lint/common_flags,-std=c11 -D_GNU_SOURCE -DCHEMCHAT_VERSION="$(VERSION)")
	@sed -i '/^ *$$/d; s/^ //' build/lint/flags

fmt: ## format every tracked C file
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
