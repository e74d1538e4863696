# The one door to libpq for the daemons.
KIND := lib
USES := common/base
PKGS := libpq
