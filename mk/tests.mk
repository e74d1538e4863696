# Unit tests: every tests/unit/**/test_*.c is one cmocka program.
#
# Its first line says what it links, users first, as a module.mk does:
#   /* uses: common/wire common/base */
# and its second, when it needs them, further pkg-config names:
#   /* pkgs: jansson */
# tests/unit/run runs them all; SAN=1 builds them with ASan and UBSan;
# ONLY=common/base builds and runs those of one folder.

UNIT_SRCS := $(sort $(shell find tests/unit/$(ONLY) -name 'test_*.c' 2>/dev/null))
UNIT_PROGRAMS := $(UNIT_SRCS:%.c=$(B)/%)

# $(call unit_says,uses,FILE): the words behind "uses:"
unit_says = $(shell sed -n '1,2s,^/\* $(1): \(.*\) \*/$$,\1,p' $(2))

define UNIT
$(1)_USES := $$(call unit_says,uses,$(1).c)
$(1)_PKGS := cmocka $$(call unit_says,pkgs,$(1).c)
$(B)/$(1): $(1).c mk/flags.mk mk/tests.mk $$(foreach u,$$($(1)_USES),$$(call archive,$$(u)))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS_ALL) -UNDEBUG -Wno-maybe-uninitialized -Itests/unit -I$$(dir $(1)) $$(addprefix -I,$$($(1)_USES)) \
	  $$(sort $$(foreach u,$$($(1)_USES),$$($$(u)_CPPFLAGS))) \
	  -MMD -MP -MF $$@.d $$< $$(LDFLAGS_ALL) -o $$@ \
	  $$(foreach u,$$($(1)_USES),$$(call archive,$$(u))) \
	  $$(call link_libs,$(1))
-include $(B)/$(1).d
endef
$(foreach t,$(UNIT_SRCS:%.c=%),$(eval $(call UNIT,$(t))))

.PHONY: test-unit test-unit-build
test-unit: test-unit-build ## unit tests; SAN=1 with ASan and UBSan
	@$(if $(UNIT_PROGRAMS),tests/unit/run $(UNIT_PROGRAMS),echo 'no unit tests in the folder ONLY=$(ONLY)' >&2; exit 1)

test-unit-build: $(UNIT_PROGRAMS)
