# chemchat-gateway: WebSocket, REST and the page, for the people who chat.
KIND := bin
BIN  := chemchat-gateway
USES := common/daemon common/jwt common/http common/password common/redis common/pg common/wire common/base
PKGS := libuv jansson openssl

# what documents.c takes in
$(B)/gateway/documents.o: docs/openapi.yaml docs/asyncapi.yaml $(wildcard schemas/*.json)
