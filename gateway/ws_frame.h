/*
 * ws_frame - a client's WebSocket frames, byte by byte (RFC 6455)
 *
 * Takes bytes as they come, cut anywhere, and gives whole text messages, pings,
 * pongs and the close.  The first thing that breaks the protocol ends it with
 * the close code for it: 1002 no mask, reserved bits or opcodes, a control
 * frame that is long or in parts, a length in a longer form than needed; 1003
 * binary; 1007 what is not UTF-8; 1008 a message in too many parts; 1009 a
 * message of more than max_bytes, before a byte of it is kept.
 *
 * A message that lies whole in the bytes given is unmasked and read where it
 * is; only what is incomplete is copied.  Between messages a parser owns no
 * memory.  Any slicing of the same bytes gives the same events.
 *
 * Pure.  ws_parser_fini gives back what it kept.
 */
#ifndef CHEMCHAT_WS_FRAME_H
#define CHEMCHAT_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_FRAGMENTS_MAX  1024
#define WS_CONTROL_MAX    125
#define WS_CLIENT_HEAD    14 /* of a client's frame, at most */
#define WS_SERVER_HEAD    10 /* of ours */
#define WS_CODE_NONE      1005
#define WS_CODE_PROTOCOL  1002
#define WS_CODE_NO_BINARY 1003
#define WS_CODE_NOT_UTF8  1007
#define WS_CODE_TOO_MANY  1008
#define WS_CODE_TOO_BIG   1009

typedef enum WsOpcode
{
	WS_OP_CONTINUE = 0,
	WS_OP_TEXT = 1,
	WS_OP_BINARY = 2,
	WS_OP_CLOSE = 8,
	WS_OP_PING = 9,
	WS_OP_PONG = 10
} WsOpcode;

typedef struct WsParser
{
	struct WsPartial *partial; /* what is incomplete; NULL: nothing */
	uint32_t max_bytes;
	uint32_t left;      /* of this frame's payload */
	uint32_t begun_len; /* of this message, its frames so far */
	uint32_t finished;  /* messages so far; wraps around */
	uint16_t fragments; /* of this message; 0: none is begun */
	uint8_t head_len;   /* bytes of the head that are here */
	uint8_t mask_at;    /* payload bytes so far, mod 4 */
	bool is_payload;    /* the head is whole */
	bool is_ended;      /* after a close or a failure */
	uint8_t head[WS_CLIENT_HEAD];
	uint8_t mask[4];
} WsParser;

typedef enum WsEventKind
{
	WS_MORE, /* all bytes are taken */
	WS_TEXT,
	WS_PING,
	WS_PONG,
	WS_CLOSE, /* code: the peer's, or WS_CODE_NONE; text: its reason */
	WS_FAIL   /* code: what to close with; why: static text */
} WsEventKind;

/* text: valid until the next call, or until the bytes given are gone. */
typedef struct WsEvent
{
	WsEventKind kind;
	uint16_t code;
	const char *text;
	size_t len;
	const char *why;
} WsEvent;

void ws_parser_init(WsParser *parser, size_t max_bytes);
void ws_parser_fini(WsParser *parser);

/*
 * Takes bytes from the front of *bytes, up to the next event.  Call until it
 * says WS_MORE; after WS_CLOSE and WS_FAIL it says nothing else.
 */
void ws_parser_next(WsParser *parser, unsigned char **bytes, size_t *len,
					WsEvent *event);

/* Nothing is half received: no head, no frame, no message. */
bool ws_parser_is_idle(const WsParser *parser);

/*
 * The head of a frame of ours, whole and without a mask; returns its length.
 */
size_t ws_frame_head(uint8_t head[WS_SERVER_HEAD], WsOpcode opcode, size_t len);

#endif
