# Passwords, as they are kept: shared by the gateway and chemchatctl.
KIND := lib
USES := common/base
PKGS := libsodium
