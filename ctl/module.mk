# chemchatctl: the operator's tool.
KIND := bin
BIN  := chemchatctl
USES := common/jwt common/base
