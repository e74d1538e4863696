#include "ws_frame.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "utf8.h"
#include "xalloc.h"

#define FIN      0x80
#define RESERVED 0x70
#define MASKED   0x80
#define CONTROL  0x08

/* Made when a frame does not lie whole in the bytes given. */
typedef struct WsPartial
{
	Buf message;
	Utf8Check utf8;
	bool is_told; /* the message was given to the caller */
	uint8_t control_len;
	uint8_t control[WS_CONTROL_MAX];
} WsPartial;

static bool take_head(WsParser *parser, unsigned char **bytes, size_t *len,
					  WsEvent *event);
static size_t head_size(const WsParser *parser);
static bool check_first(WsParser *parser, WsEvent *event);
static bool check_second(WsParser *parser, WsEvent *event);
static bool check_length(WsParser *parser, WsEvent *event);
static bool take_control(WsParser *parser, unsigned char *at, size_t len,
						 WsEvent *event);
static bool take_data(WsParser *parser, unsigned char *at, size_t len,
					  WsEvent *event);
static void take_close(const unsigned char *at, size_t len, WsEvent *event);
static void end_frame(WsParser *parser);
static void forget_told(WsParser *parser);
static WsPartial *need_partial(WsParser *parser);
static bool is_close_code(unsigned code);
static void unmask(WsParser *parser, unsigned char *at, size_t len);
static bool fail(WsEvent *event, uint16_t code, const char *why);

void
ws_parser_init(WsParser *parser, size_t max_bytes)
{
	memset(parser, 0, sizeof(*parser));
	parser->max_bytes = (uint32_t) max_bytes;
}

void
ws_parser_fini(WsParser *parser)
{
	if (parser->partial == NULL)
		return;
	buf_fini(&parser->partial->message);
	free(parser->partial);
	parser->partial = NULL;
}

void
ws_parser_next(WsParser *parser, unsigned char **bytes, size_t *len,
			   WsEvent *event)
{
	bool is_event = false;

	memset(event, 0, sizeof(*event));
	forget_told(parser);
	while (!is_event && !parser->is_ended)
	{
		unsigned char *at;
		size_t part;

		if (!parser->is_payload && !take_head(parser, bytes, len, event))
			break;
		at = *bytes;
		part = *len < parser->left ? *len : parser->left;
		if (part == 0 && parser->left > 0)
			break;
		unmask(parser, at, part);
		*bytes += part;
		*len -= part;
		parser->left -= (uint32_t) part;
		is_event = (parser->head[0] & CONTROL) != 0
					   ? take_control(parser, at, part, event)
					   : take_data(parser, at, part, event);
	}
	if (event->kind == WS_CLOSE || event->kind == WS_FAIL)
		parser->is_ended = true;
	if (parser->is_ended)
		*len = 0;
}

bool
ws_parser_is_idle(const WsParser *parser)
{
	return parser->head_len == 0 && parser->fragments == 0;
}

size_t
ws_frame_head(uint8_t head[WS_SERVER_HEAD], WsOpcode opcode, size_t len)
{
	head[0] = (uint8_t) (FIN | opcode);
	if (len < 126)
	{
		head[1] = (uint8_t) len;
		return 2;
	}
	if (len <= UINT16_MAX)
	{
		head[1] = 126;
		head[2] = (uint8_t) (len >> 8);
		head[3] = (uint8_t) len;
		return 4;
	}
	head[1] = 127;
	for (int i = 0; i < 8; i++)
		head[2 + i] = (uint8_t) ((uint64_t) len >> (56 - 8 * i));
	return 10;
}

/*
 * Each byte is judged as soon as it is there, in the order of the wire, so
 * that the first mistake is the same however the bytes were cut.  True: the
 * head is whole.
 */
static bool
take_head(WsParser *parser, unsigned char **bytes, size_t *len, WsEvent *event)
{
	while (*len > 0)
	{
		parser->head[parser->head_len++] = **bytes;
		(*bytes)++;
		(*len)--;
		if (parser->head_len == 1 && !check_first(parser, event))
			return false;
		if (parser->head_len == 2 && !check_second(parser, event))
			return false;
		if (parser->head_len < head_size(parser))
			continue;
		memcpy(parser->mask, parser->head + parser->head_len - 4, 4);
		parser->mask_at = 0;
		if (!check_length(parser, event))
			return false;
		parser->is_payload = true;
		return true;
	}
	return false;
}

/*
 *  0                   1                   2                   3
 * |FIN|RSV(3)|opcode(4)| |MASK|length(7)| |length 16 or 64| |mask(32)|
 */
static size_t
head_size(const WsParser *parser)
{
	uint8_t length = parser->head[1] & 0x7f;

	if (parser->head_len < 2)
		return 2;
	return 6 + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

static bool
check_first(WsParser *parser, WsEvent *event)
{
	uint8_t first = parser->head[0];
	int opcode = first & 0x0f;

	if ((first & RESERVED) != 0)
		return fail(event, WS_CODE_PROTOCOL, "a reserved bit");
	if ((opcode & CONTROL) != 0)
	{
		if (opcode > WS_OP_PONG)
			return fail(event, WS_CODE_PROTOCOL, "a reserved opcode");
		if ((first & FIN) == 0)
			return fail(event, WS_CODE_PROTOCOL, "a control frame in parts");
		return true;
	}
	if (opcode > WS_OP_BINARY)
		return fail(event, WS_CODE_PROTOCOL, "a reserved opcode");
	if (opcode == WS_OP_BINARY)
		return fail(event, WS_CODE_NO_BINARY, "text frames only");
	if (opcode == WS_OP_CONTINUE && parser->fragments == 0)
		return fail(event, WS_CODE_PROTOCOL, "a continuation of nothing");
	if (opcode == WS_OP_TEXT && parser->fragments > 0)
		return fail(event, WS_CODE_PROTOCOL, "a message inside a message");
	if (parser->fragments == WS_FRAGMENTS_MAX)
		return fail(event, WS_CODE_TOO_MANY, "too many fragments");
	return true;
}

static bool
check_second(WsParser *parser, WsEvent *event)
{
	uint8_t length = parser->head[1] & 0x7f;

	if ((parser->head[1] & MASKED) == 0)
		return fail(event, WS_CODE_PROTOCOL, "a frame without a mask");
	if ((parser->head[0] & CONTROL) != 0 && length > WS_CONTROL_MAX)
		return fail(event, WS_CODE_PROTOCOL, "a long control frame");
	return true;
}

static bool
check_length(WsParser *parser, WsEvent *event)
{
	uint8_t form = parser->head[1] & 0x7f;
	size_t bytes = form == 126 ? 2 : form == 127 ? 8 : 0;
	uint64_t length = bytes == 0 ? form : 0;

	for (size_t i = 0; i < bytes; i++)
		length = length << 8 | parser->head[2 + i];
	if ((bytes == 2 && length < 126) || (bytes == 8 && length <= UINT16_MAX))
		return fail(event, WS_CODE_PROTOCOL, "a length longer than needed");
	if (length >> 63 != 0)
		return fail(event, WS_CODE_PROTOCOL, "a length beyond 2^63");
	if ((parser->head[0] & CONTROL) == 0)
	{
		if (length > parser->max_bytes ||
			length > parser->max_bytes - parser->begun_len)
			return fail(event, WS_CODE_TOO_BIG, "frame too big");
		parser->begun_len += (uint32_t) length;
		parser->fragments++;
	}
	parser->left = (uint32_t) length;
	return true;
}

static bool
take_control(WsParser *parser, unsigned char *at, size_t len, WsEvent *event)
{
	int opcode = parser->head[0] & 0x0f;
	WsPartial *partial = parser->partial;

	if (parser->left > 0 || (partial != NULL && partial->control_len > 0))
	{
		partial = need_partial(parser);
		memcpy(partial->control + partial->control_len, at, len);
		partial->control_len = (uint8_t) (partial->control_len + len);
		if (parser->left > 0)
			return false;
		at = partial->control;
		len = partial->control_len;
		partial->control_len = 0;
	}
	end_frame(parser);
	event->kind = opcode == WS_OP_PING ? WS_PING : WS_PONG;
	event->text = (const char *) at;
	event->len = len;
	if (opcode == WS_OP_CLOSE)
		take_close(at, len, event);
	return true;
}

static bool
take_data(WsParser *parser, unsigned char *at, size_t len, WsEvent *event)
{
	bool is_last = (parser->head[0] & FIN) != 0;
	WsPartial *partial = parser->partial;
	Utf8Check whole = { 0 };
	Utf8Check *utf8 = &whole;

	/* Unless all of the message is here: it is gathered. */
	if (parser->left > 0 || !is_last || len != parser->begun_len)
	{
		partial = need_partial(parser);
		utf8 = &partial->utf8;
		buf_append(&partial->message, at, len);
	}
	if (!utf8_check_feed(utf8, at, len))
	{
		(void) fail(event, WS_CODE_NOT_UTF8, "not UTF-8");
		return true;
	}
	if (parser->left > 0)
		return false;
	end_frame(parser);
	if (!is_last)
		return false;
	if (!utf8_check_is_whole(utf8))
	{
		(void) fail(event, WS_CODE_NOT_UTF8, "not UTF-8");
		return true;
	}
	event->kind = WS_TEXT;
	event->text = (const char *) at;
	event->len = len;
	if (utf8 != &whole)
	{
		event->text = partial->message.data;
		event->len = partial->message.len;
		partial->is_told = true;
	}
	parser->begun_len = 0;
	parser->fragments = 0;
	parser->finished++;
	return true;
}

/* RFC 6455 5.5.1, 7.4 */
static void
take_close(const unsigned char *at, size_t len, WsEvent *event)
{
	unsigned code = WS_CODE_NONE;

	event->kind = WS_CLOSE;
	event->len = 0;
	if (len == 1)
	{
		(void) fail(event, WS_CODE_PROTOCOL, "half a close code");
		return;
	}
	if (len >= 2)
	{
		code = (unsigned) at[0] << 8 | at[1];
		event->text = (const char *) at + 2;
		event->len = len - 2;
		if (!is_close_code(code))
		{
			(void) fail(event, WS_CODE_PROTOCOL, "no close code");
			return;
		}
		if (!utf8_is_valid(event->text, event->len))
		{
			(void) fail(event, WS_CODE_NOT_UTF8, "not UTF-8");
			return;
		}
	}
	event->code = (uint16_t) code;
}

static void
end_frame(WsParser *parser)
{
	parser->is_payload = false;
	parser->head_len = 0;
}

/* What the caller was given last is not needed any more. */
static void
forget_told(WsParser *parser)
{
	WsPartial *partial = parser->partial;

	if (partial == NULL)
		return;
	if (partial->is_told)
	{
		buf_reset(&partial->message);
		memset(&partial->utf8, 0, sizeof(partial->utf8));
		partial->is_told = false;
	}
	if (ws_parser_is_idle(parser))
		ws_parser_fini(parser);
}

static WsPartial *
need_partial(WsParser *parser)
{
	if (parser->partial == NULL)
	{
		parser->partial = xcalloc(1, sizeof(*parser->partial));
		buf_init(&parser->partial->message);
	}
	return parser->partial;
}

/* RFC 6455, 7.4; IANA has registered 1012 to 1014 since. */
static bool
is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
		   (code >= 3000 && code <= 4999);
}

/* Eight bytes at a time; the mask goes on where the last part ended. */
static void
unmask(WsParser *parser, unsigned char *at, size_t len)
{
	uint8_t turned[8];
	uint64_t mask;
	size_t i = 0;

	for (size_t k = 0; k < 8; k++)
		turned[k] = parser->mask[(parser->mask_at + k) & 3];
	memcpy(&mask, turned, 8);
	for (; i + 8 <= len; i += 8)
	{
		uint64_t eight;

		memcpy(&eight, at + i, 8);
		eight ^= mask;
		memcpy(at + i, &eight, 8);
	}
	for (; i < len; i++)
		at[i] ^= turned[i & 7];
	parser->mask_at = (uint8_t) ((parser->mask_at + len) & 3);
}

static bool
fail(WsEvent *event, uint16_t code, const char *why)
{
	memset(event, 0, sizeof(*event));
	event->kind = WS_FAIL;
	event->code = code;
	event->why = why;
	return false;
}
