# The non-recursive build of common/*, the daemons and chemchatctl.
#
# A module.mk sets:
#   KIND := lib | bin      what comes out
#   BIN  := chemchat-x     name of the program (KIND = bin)
#   USES := common/base .. folders whose headers it may include and whose
#                          archives it links, every one named, users first
#   PKGS := libpq ..       pkg-config names of its foreign libraries
#   LIBS := -lm ..         foreign libraries without a .pc file

MODULES := common/base common/wire common/jwt common/pg common/kafka common/redis common/http common/password \
           common/daemon relay gateway ctl
MODULES := $(patsubst %/module.mk,%,$(wildcard $(addsuffix /module.mk,$(MODULES))))
BINARIES :=
ALL_SRCS :=

# $(call archive,common/base) -> build/release/common/base.a
archive = $(B)/$(1).a

define MODULE
KIND := lib
BIN  :=
USES :=
PKGS :=
LIBS :=
include $(1)/module.mk
$(1)_KIND := $$(KIND)
$(1)_USES := $$(USES)
$(1)_PKGS := $$(PKGS)
$(1)_LIBS := $$(LIBS)
$(1)_SRCS := $$(wildcard $(1)/*.c)
$(1)_OBJS := $$(patsubst %.c,$(B)/%.o,$$($(1)_SRCS))
$(1)_CPPFLAGS := -I$(1) $$(addprefix -I,$$(USES)) $$(if $$(PKGS),$$(shell pkg-config --cflags $$(PKGS) 2>/dev/null))
ALL_SRCS += $$($(1)_SRCS)

$$($(1)_OBJS): $(B)/%.o: %.c $(1)/module.mk mk/flags.mk
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS_ALL) $$($(1)_CPPFLAGS) -MMD -MP -c $$< -o $$@
-include $$($(1)_OBJS:.o=.d)

# everything but main.o: what a daemon's unit tests link
$(B)/$(1).a: $$(filter-out %/main.o,$$($(1)_OBJS))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^

ifeq ($$(KIND),bin)
BINARIES += $(B)/bin/$$(BIN)
$(1)_BIN := $(B)/bin/$$(BIN)
$(B)/bin/$$(BIN): $(B)/$(1)/main.o $(B)/$(1).a $$(foreach u,$$(USES),$$(call archive,$$(u)))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS_ALL) -o $$@ $(B)/$(1)/main.o $(B)/$(1).a \
	  $$(foreach u,$$($(1)_USES),$$(call archive,$$(u))) \
	  $$(call link_libs,$(1))
endif
endef

# foreign libraries of a module and of all it uses
link_libs = $(shell pkg-config --libs $(sort $($(1)_PKGS) $(foreach u,$($(1)_USES),$($(u)_PKGS))) 2>/dev/null) \
            $(sort $($(1)_LIBS) $(foreach u,$($(1)_USES),$($(u)_LIBS)))

$(foreach m,$(MODULES),$(eval $(call MODULE,$(m))))
