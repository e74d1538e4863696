# The one door to librdkafka.
KIND := lib
USES := common/base common/wire
PKGS := rdkafka
