# chemchatctl: the operator's tool.
KIND := bin
BIN  := chemchatctl
USES := common/jwt common/http common/password common/pg common/base
