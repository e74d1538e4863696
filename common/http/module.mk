# The one door to libcurl: asking other people's web servers.
KIND := lib
USES := common/base
PKGS := libcurl
