/* uses: gateway common/jwt common/http common/password common/daemon common/redis common/pg common/wire common/base */
/* links: -Wl,--allow-multiple-definition -lm */
/* pkgs: libuv jansson libpq hiredis openssl libsodium libcurl */
/*
 * fuzz_protocol - what clients and the database's answers may say
 *
 * The first byte chooses: frames of a client (one a line) into the command
 * table of a welcomed session; the head of an HTTP request, whole and in
 * slices; an answer of live_changes into the fan-out; a REST request into its
 * arguments, and a poll's cursor.  Beyond not crashing:
 * every frame is answered with JSON, or asks the database; a head that is
 * accepted says the same whatever came in which slice; nothing is delivered
 * twice or backwards; a cursor that is taken is the one that is given.  The
 * database is fake_chat.h's: its definitions come
 * first, so those of db.c are passed over.
 */
#define FAKE_DB
#include "../unit/gateway/fake_chat.h"

#include "clock.h"
#include "event_json.h"
#include "fuzz.h"
#include "http.h"
#include "http_request_private.h"
#include "log.h"
#include "poll_cursor.h"
#include "rest_args.h"

typedef struct World
{
	Chat chat;
	FakeSocket socket;
	uint64_t last_ev;
} World;

static World world;

static void
port_pull(void *arg, const Uuid *conversation_id, uint64_t after_ev)
{
	(void) arg;
	(void) conversation_id;
	(void) after_ev;
}

static void
port_look(void *arg, const Uuid *user_id, int64_t delay_ms)
{
	(void) arg;
	(void) user_id;
	(void) delay_ms;
}

static void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *conversation_id)
{
	Slice text = { (const char *) payload_text(frame), frame->len };
	Slice events;
	Slice event;
	bool is_bad;
	uint64_t ev;

	(void) arg;
	(void) seat;
	(void) conversation_id;
	REQUIRE(event_json_field(text, "events", &events));
	while (event_json_next(&events, &event, &is_bad))
	{
		REQUIRE(event_json_number(event, "ev", &ev));
		REQUIRE(ev > world.last_ev);
		world.last_ev = ev;
	}
}

static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	(void) arg;
	(void) seat;
	(void) frame;
}

static void
port_dirty(void *arg)
{
	(void) arg;
}

static void
begin(void)
{
	static const Uuid user = { { 0xa } };
	FanoutPorts ports = { port_pull, port_look, port_deliver, port_tell,
						  port_dirty };
	Chat *chat = &world.chat;

	memset(&world, 0, sizeof(world));
	chat->registry = registry_new();
	chat->sessions = sessions_new(chat->registry, &fake_transport);
	chat->fanout = fanout_new(chat->registry, &ports, NULL);
	chat->limits = user_limits_new();
	chat->send_rule.per_second = 0;
	chat->user_connections_max = 10;
	world.socket.session = session_new(chat->sessions, &world.socket, NULL);
	(void) registry_sit(chat->registry, &user,
						session_seat(world.socket.session));
	session_set_state(world.socket.session, SESSION_READY);
}

static void
end(void)
{
	fake_gone(&world.socket);
	fanout_free(&world.chat.fanout);
	sessions_free(&world.chat.sessions);
	registry_free(&world.chat.registry);
	user_limits_free(&world.chat.limits);
}

/* One frame: an answer, or a question to the database, never both or none. */
static void
try_frame(const char *text, size_t len)
{
	DbError busy = { .code = "busy" };
	int before = world.socket.frame_count;
	int asked = fake_db.sends + fake_db.calls;
	json_t *answer;

	command_run(&world.chat, world.socket.session, text, len);
	if (world.socket.close_code != 0)
		return; /* bye */
	asked = fake_db.sends + fake_db.calls - asked;
	REQUIRE(world.socket.frame_count - before + asked == 1);
	if (asked == 1 && fake_db.sent != NULL)
		fake_db.sent(fake_db.arg, &busy, NULL);
	else if (asked == 1)
		fake_db.answer(fake_db.arg, &busy, NULL);
	fake_db.sent = NULL;
	fake_db.answer = NULL;
	REQUIRE(world.socket.frame_count - before == 1);
	answer = json_loads(fake_last(&world.socket), JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(answer));
	REQUIRE(json_is_string(json_object_get(answer, "type")));
	json_decref(answer);
}

static void
try_frames(const char *text, size_t len)
{
	begin();
	for (int i = 0; i < 100; i++)
	{
		const char *line_end = memchr(text, '\n', len);
		size_t line = line_end ? (size_t) (line_end - text) : len;

		try_frame(text, line);
		if (line_end == NULL || world.socket.close_code != 0)
			break;
		text += line + 1;
		len -= line + 1;
	}
	end();
}

static void
try_head(const char *text, size_t len)
{
	const char *reason;
	HttpHead head;
	HttpHead sliced;
	HttpAnswer like = { 0 };
	Payload *body;
	int verdict = http_head_parse(text, len, &head, &reason);
	Buf out;

	REQUIRE(verdict == HTTP_MORE || verdict == HTTP_OK || verdict >= 400);
	for (size_t part = 0; part < len; part += 1 + part / 8)
	{
		int early = http_head_parse(text, part, &sliced, &reason);

		/* Which of two mistakes is named may differ; that it is one, not. */
		REQUIRE(early == HTTP_MORE || early == verdict ||
				(early >= HTTP_STATUS_MIN && verdict >= HTTP_STATUS_MIN));
	}
	if (verdict != HTTP_OK)
		return;
	REQUIRE(head.size <= len && head.path.len > 0 && head.path.at[0] == '/');
	REQUIRE(head.body_len <= HTTP_BODY_MAX);
	REQUIRE(!head.is_upgrade || head.websocket_key.len == 24);
	(void) http_origin_is_allowed(&head, "https://a.example, null");
	buf_init(&out);
	like.is_body_cut = head.method == HTTP_HEAD;
	like.origin = head.field[HTTP_ORIGIN];
	REQUIRE(http_put_file(NULL, &head, &like, &out, &body) == 404);
	REQUIRE(strncmp(out.data, "HTTP/1.1 404 ", 13) == 0);
	buf_fini(&out);
}

static void
try_pulled(const char *text, size_t len)
{
	static const Uuid user = { { 0xa } };
	static const Uuid general = { { 0xc } };
	HeadRow row = { user, general, true, 10, 7 };
	HeadRows rows = { &user, 1, -1, 0, &row, 1 };
	Pulled pulled = { .conversation_id = general,
					  .after_ev = 10,
					  .upto = 20,
					  .head = 30,
					  .events = text,
					  .events_len = len,
					  .position = "1:1:0/1" };

	begin();
	(void) fanout_rows(world.chat.fanout, &rows);
	world.last_ev = 10;
	fanout_hint(world.chat.fanout, &general, 20);
	fanout_pulled(world.chat.fanout, &pulled);
	fanout_flush(world.chat.fanout);
	end();
}

static bool
has_query(const void *arg, const char *name)
{
	char byte[1];

	return http_request_query_value(arg, name, byte, sizeof(byte)) !=
		   QUERY_NONE;
}

/* Good arguments, or a problem with a name and a status. */
static void
try_arguments(const HttpRequest *request, const Verb *verb)
{
	Problem problem = { .code = NULL, .offset = -1 };
	VerbRefusal refusal = { NULL, NULL };
	json_t *object = rest_args_read(request, verb, &problem);
	VerbValues values;
	Buf out;

	if (object != NULL)
	{
		if (!verb_values_init(&values, verb, object, &refusal))
		{
			problem.code = refusal.code;
			problem.field = rest_args_name(verb, refusal.field);
			REQUIRE(problem.code != NULL && problem.field != NULL);
		}
		verb_values_fini(&values);
		json_decref(object);
	}
	else
		REQUIRE(problem.code != NULL);
	if (problem.code == NULL)
		return;
	REQUIRE(problem_status(problem.code, problem.field) >= 400);
	buf_init(&out);
	problem_write(&problem, &out);
	object = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(object));
	json_decref(object);
	buf_fini(&out);
}

static void
try_request(const char *text, size_t len)
{
	static const Address nobody;
	char allowed[64];
	const char *reason;
	HttpHead head;
	HttpRequest *request;
	const Verb *verb;
	Buf bytes;

	if (http_head_parse(text, len, &head, &reason) != HTTP_OK ||
		head.body_len > len - head.size)
		return;
	buf_init(&bytes);
	buf_append(&bytes, text, len);
	REQUIRE(http_head_parse(bytes.data, bytes.len, &head, &reason) == HTTP_OK);
	request = http_request_new(NULL, NULL, &bytes, &head, &nobody);
	verb = verb_of_request(http_request_method_name(request),
						   http_request_path(request), has_query, request,
						   allowed, sizeof(allowed));
	if (verb != NULL)
		try_arguments(request, verb);
	http_request_answer(&request, 200, NULL, NULL, 0, NULL);
}

static void
try_cursor(const char *text, size_t len)
{
	char given[512];
	char back[POLL_CURSOR_SIZE];
	PollCursor cursor;
	PollCursor again;

	snprintf(given, sizeof(given), "%.*s", (int) (len < 500 ? len : 500), text);
	if (!poll_cursor_parse(given, &cursor))
		return;
	REQUIRE(poll_cursor_parse(poll_cursor_format(&cursor, back), &again));
	REQUIRE(uuid_equal(&cursor.session_id, &again.session_id) &&
			cursor.number == again.number &&
			strcmp(cursor.position, again.position) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const seeds[] = {
		"0{\"type\":\"send\",\"ref\":\"1\",\"conversationId\":"
		"\"00000000-0000-7000-8000-0000000000c1\",\"clientMsgId\":"
		"\"00000000-0000-7000-8000-000000000099\",\"body\":\"hi\"}\n"
		"{\"type\":\"heads\"}\n{\"type\":\"ping\"}\n{\"type\":\"bye\"}",
		"0{\"type\":\"changes\",\"conversationId\":"
		"\"00000000-0000-7000-8000-0000000000c1\",\"afterEv\":4}\n"
		"{\"type\":\"users\",\"ids\":[\"00000000-0000-7000-8000-0000000000c1\"]"
		"}",
		"1GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: chemchat.v1.json\r\nOrigin: http://a\r\n\r\n",
		"2[{\"kind\":\"message\",\"ev\":11,\"seq\":8},{\"kind\":\"member\","
		"\"ev\":12,\"userId\":\"0a000000-0000-0000-0000-000000000000\","
		"\"state\":\"removed\"},{\"kind\":\"message\",\"ev\":13,\"seq\":9}]",
		"3PUT /v1/conversations/00000000-0000-7000-8000-0000000000c1/messages"
		"/7?maxRows=5 HTTP/1.1\r\nHost: a\r\nIf-Match: \"3\"\r\n"
		"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n"
		"{\"body\":\"hi\"}",
		"3POST /v1/conversations HTTP/1.1\r\nHost: a\r\nIdempotency-Key: x\r\n"
		"Content-Type: application/json\r\nContent-Length: 30\r\n\r\n"
		"{\"kind\":\"group\",\"members\":[]}",
		"3GET /v1/users?ids=00000000-0000-7000-8000-0000000000c1,x&query=%41 "
		"HTTP/1.1\r\nHost: a\r\n\r\n",
		"400000000-0000-7000-8000-00000000000a.1.1:1:0/1",
	};

	(void) argc;
	(void) argv;
	log_init("fuzz", LOG_ERROR, LOG_LOGFMT);
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		fuzz_seed(i, seeds[i], strlen(seeds[i]));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data + 1;

	if (size == 0)
		return 0;
	clock_set(1000000, 1000000);
	switch ((uint8_t) (data[0] - '0') % 5)
	{
		case 0:
			try_frames(text, size - 1);
			break;
		case 1:
			try_head(text, size - 1);
			break;
		case 2:
			try_pulled(text, size - 1);
			break;
		case 3:
			try_request(text, size - 1);
			break;
		default:
			try_cursor(text, size - 1);
	}
	return 0;
}
