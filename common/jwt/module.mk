# Tokens: sign and verify, shared by the gateway and chemchatctl.
KIND := lib
USES := common/base
PKGS := jansson libcrypto libsodium
LIBS := -lm
