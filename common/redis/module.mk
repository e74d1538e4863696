# The one door to hiredis, used as a codec over our own sockets.
KIND := lib
USES := common/base
PKGS := hiredis
