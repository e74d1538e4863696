/* uses: gateway common/jwt common/http common/password common/daemon common/redis common/pg common/wire common/base */
/* links: -Wl,--allow-multiple-definition -lm */
/* pkgs: libuv jansson libpq hiredis openssl libsodium libcurl */
/*
 * fuzz_door - the bytes a client writes before anybody knows it
 *
 * The first byte chooses: WebSocket frames (whole, and cut by the second byte:
 * the same must come of it; what is told is UTF-8 and within its limit), or a
 * PROXY header (whole and byte by byte: the same address, never a byte too
 * many), or X-Forwarded-For.
 */
#include "address.h"
#include "buf.h"
#include "fuzz.h"
#include "http_head.h"
#include "proxy_header.h"
#include "utf8.h"
#include "ws_frame.h"

#define MAX_BYTES 4096

static void
tell(const uint8_t *data, size_t size, size_t most, Buf *told)
{
	WsParser parser;
	bool is_ended = false;

	ws_parser_init(&parser, MAX_BYTES);
	while (size > 0 && !is_ended)
	{
		size_t part = size < most ? size : most;
		unsigned char *copy = malloc(part);
		unsigned char *at = copy;
		size_t left = part;
		WsEvent event;

		memcpy(copy, data, part);
		for (;;)
		{
			ws_parser_next(&parser, &at, &left, &event);
			if (event.kind == WS_MORE)
				break;
			REQUIRE(event.len <= MAX_BYTES);
			REQUIRE(event.kind != WS_TEXT ||
					utf8_is_valid(event.text, event.len));
			REQUIRE(event.kind != WS_FAIL ||
					(event.code >= 1002 && event.code <= 1009));
			buf_printf(told, "%d %d %zu:", event.kind, event.code, event.len);
			if (event.len > 0)
				buf_append(told, event.text, event.len);
			is_ended = event.kind == WS_CLOSE || event.kind == WS_FAIL;
		}
		REQUIRE(left == 0);
		free(copy);
		data += part;
		size -= part;
	}
	REQUIRE(!ws_parser_is_idle(&parser) || parser.partial == NULL);
	ws_parser_fini(&parser);
}

static void
try_frames(const uint8_t *data, size_t size)
{
	Buf whole;
	Buf cut;

	if (size < 2)
		return;
	buf_init(&whole);
	buf_init(&cut);
	tell(data + 1, size - 1, size, &whole);
	tell(data + 1, size - 1, 1 + data[0] % 32, &cut);
	REQUIRE(whole.len == cut.len);
	REQUIRE(whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0);
	buf_fini(&whole);
	buf_fini(&cut);
}

static void
try_proxy(const uint8_t *data, size_t size)
{
	Address whole = { { 0 } };
	Address parts = { { 0 } };
	size_t used;
	size_t taken = 0;
	ProxyVerdict verdict = proxy_header_parse(data, size, &whole, &used);
	ProxyVerdict early = PROXY_MORE;

	REQUIRE(used <= size);
	for (size_t len = 0; len <= size && early == PROXY_MORE; len++)
	{
		early = proxy_header_parse(data, len, &parts, &taken);
		REQUIRE(early != PROXY_MORE || taken == len);
	}
	REQUIRE(early == verdict);
	REQUIRE(verdict == PROXY_MORE || verdict == PROXY_BAD || taken == used);
	REQUIRE(verdict != PROXY_OK || memcmp(&whole, &parts, sizeof(whole)) == 0);
}

static void
try_forwarded(const uint8_t *data, size_t size)
{
	Slice lines[HTTP_FORWARDED_MAX] = { { (const char *) data, 0 } };
	int count = 1;
	char shown[ADDRESS_TEXT_SIZE];
	AddressRanges trusted;
	Address peer;
	Address client;
	Address again;
	Error err;

	REQUIRE(address_ranges_parse("10.0.0.0/8,fd00::/8", &trusted, &err));
	REQUIRE(address_parse((Slice){ "10.1.2.3", 8 }, &peer));
	for (size_t i = 0; i < size; i++)
	{
		if (data[i] != '\n' || count == HTTP_FORWARDED_MAX)
			lines[count - 1].len++;
		else
			lines[count++] = (Slice){ (const char *) data + i + 1, 0 };
	}
	client = address_forwarded(&trusted, &peer, lines, count);
	(void) address_format(&client, shown);
	REQUIRE(address_parse((Slice){ shown, strlen(shown) }, &again));
	REQUIRE(memcmp(&client, &again, sizeof(client)) == 0);
	address_ranges_free(&trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const seeds[] = {
		"\x30\x05\x81\x85"
		"abcd\x09\x07\x0f\x08\x0e\x89\x80"
		"aaaa\x01\x81"
		"bbbb\x00\x80\x81"
		"cccc\x10\x88\x82"
		"dddd\x67\x8c",
		"\x31"
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET /",
		"\x31"
		"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
		"\x31"
		"PROXY UNKNOWN\r\n",
		"\x32"
		"203.0.113.9, 10.1.1.1,\tfd00::7\n10.2.2.2",
	};
	static const uint8_t binary[] = { '1',  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
									  0x0a, 'Q',  'U',  'I',  'T',  0x0a, 0x21,
									  0x11, 0,    12,   192,  0,    2,    7,
									  198,  51,   100,  1,    0,    1,    1,
									  0xbb, 'G',  'E',  'T' };

	(void) argc;
	(void) argv;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		fuzz_seed(i, seeds[i], strlen(seeds[i]));
	fuzz_seed(sizeof(seeds) / sizeof(seeds[0]), binary, sizeof(binary));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 3)
	{
		case 0:
			try_frames(data + 1, size - 1);
			break;
		case 1:
			try_proxy(data + 1, size - 1);
			break;
		default:
			try_forwarded(data + 1, size - 1);
	}
	return 0;
}
