# chemchat-relay: the WAL's events into Kafka, and into Redis for live delivery.
KIND := bin
BIN  := chemchat-relay
USES := common/daemon common/kafka common/redis common/pg common/wire common/base
PKGS := libpq
