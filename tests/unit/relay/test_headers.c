/* uses: relay common/kafka common/wire common/base */
#include "headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "property.h"
#include "uuid.h"

#define KEY "01890a5d-ac96-774b-bcce-b302099a8057"
#define ID  "01890a5d-ac97-7000-8000-0123456789ab"

static Uuid key;
static Uuid id;

static Event
event_of(EventKind kind)
{
	assert_true(uuid_parse(KEY, UUID_TEXT_LEN, &key));
	assert_true(uuid_parse(ID, UUID_TEXT_LEN, &id));
	return (Event){ .kind = kind,
					.key = key.byte,
					.id = id.byte,
					.ev = 9,
					.seq = 7,
					.rev = 3,
					.time_us = INT64_C(1795369960123456) };
}

/* "name=value,name=value,..." as kcat prints them */
static const char *
text_of(const Headers *headers)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < headers->count; i++)
	{
		const KafkaHeader *h = &headers->list[i];

		assert_int_equal(strlen(h->name), h->name_len);
		len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%s=%.*s",
								 i > 0 ? "," : "", h->name, (int) h->value_len,
								 h->value);
	}
	return text;
}

static void
a_message_is_a_cloud_event(void **state)
{
	Event event = event_of(EVENT_MESSAGE);
	Headers headers;

	headers_init(&headers, UINT64_C(7711067460735350238), 2);
	headers_build(&headers, &event, UINT64_C(0x16B374D848), 4);
	assert_string_equal(
		text_of(&headers),
		"content-type=application/json,ce_specversion=1.0,"
		"ce_id=message:" ID ":3,ce_source=/chemchat/7711067460735350238,"
		"ce_type=chemchat.message,ce_subject=" ID ","
		"ce_time=2026-11-22T17:52:40.123456Z,ce_ev=9,ce_rev=3,ce_seq=7,"
		"ce_position=7711067460735350238:2:16/B374D848:4");
}

static void
a_member_is_named_by_both_ids(void **state)
{
	Event event = event_of(EVENT_MEMBER);
	Headers headers;

	event.flags = EVENT_REPLAY;
	headers_init(&headers, 1, 1);
	headers_build(&headers, &event, 0x10, 0);
	assert_string_equal(text_of(&headers),
						"content-type=application/json,ce_specversion=1.0,"
						"ce_id=member:" KEY "/" ID ":3,ce_source=/chemchat/1,"
						"ce_type=chemchat.member,ce_subject=" ID ","
						"ce_time=2026-11-22T17:52:40.123456Z,ce_ev=9,ce_rev=3,"
						"ce_position=1:1:0/10:0,ce_replay=1");
}

static void
what_a_pair_names_is_named_by_both(void **state)
{
	static const struct
	{
		EventKind kind;
		const char *id;
		const char *type;
	} cases[] = {
		{ EVENT_CURSOR, "ce_id=cursor:" KEY "/" ID ":3,",
		  "ce_type=chemchat.cursor," },
		{ EVENT_PREFERENCE, "ce_id=preference:" KEY "/" ID ":3,",
		  "ce_type=chemchat.preference," },
		{ EVENT_BLOCK, "ce_id=block:" KEY "/" ID ":3,",
		  "ce_type=chemchat.block," },
		{ EVENT_REACTION, "ce_id=reaction:" ID ":3,",
		  "ce_type=chemchat.reaction," },
	};
	Headers headers;

	headers_init(&headers, 1, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Event event = event_of(cases[i].kind);

		headers_build(&headers, &event, 0x10, 0);
		assert_non_null(strstr(text_of(&headers), cases[i].id));
		assert_non_null(strstr(text_of(&headers), cases[i].type));
		assert_null(strstr(text_of(&headers), "ce_seq"));
	}
}

static void
a_user_has_no_ev(void **state)
{
	static const char trace[] =
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	Event event = event_of(EVENT_USER);
	Headers headers;

	event.ev = 0;
	event.trace = trace;
	headers_init(&headers, 1, 1);
	headers_build(&headers, &event, 0x10, 0);
	assert_null(strstr(text_of(&headers), "ce_ev"));
	assert_null(strstr(text_of(&headers), "ce_seq"));
	assert_non_null(strstr(text_of(&headers),
						   "traceparent=00-0af7651916cd43dd8448eb211c80319c-"
						   "b7ad6b7169203331-01"));
}

static void
a_dead_letter_says_why(void **state)
{
	Event event = event_of(EVENT_MESSAGE);
	Headers headers;

	headers_init(&headers, 1, 1);
	headers_build(&headers, &event, 0x10, 0);
	headers_add_dead(&headers, "chat.messages.v1", 11, "MSG_SIZE_TOO_LARGE", 1,
					 20000);
	assert_non_null(strstr(text_of(&headers),
						   "ce_position=1:1:0/10:0,dlq_topic=chat.messages.v1,"
						   "dlq_partition=11,dlq_reason=MSG_SIZE_TOO_LARGE,"
						   "dlq_attempts=1,dlq_value_size=20000"));
}

static void
the_largest_numbers_fit(void **state)
{
	static const char trace[EVENT_TRACE_SIZE + 1] =
		"00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff";
	static const EventKind kinds[] = { EVENT_MESSAGE,    EVENT_CONVERSATION,
									   EVENT_MEMBER,     EVENT_REACTION,
									   EVENT_USER,       EVENT_CURSOR,
									   EVENT_PREFERENCE, EVENT_BLOCK };
	Headers headers;

	headers_init(&headers, UINT64_MAX, UINT32_MAX);
	for (size_t i = 0; i < 8; i++)
	{
		Event event = event_of(kinds[i]);

		event.ev = event.seq = event.rev = UINT64_MAX;
		event.time_us = INT64_MAX;
		event.flags = EVENT_REPLAY;
		event.trace = trace;
		headers_build(&headers, &event, UINT64_MAX, UINT32_MAX);
		headers_add_dead(&headers, "chat.conversations.v1", INT32_MAX,
						 "MSG_SIZE_TOO_LARGE", UINT32_MAX, UINT32_MAX);
		assert_non_null(strstr(text_of(&headers),
							   "ce_position=18446744073709551615:4294967295:"
							   "FFFFFFFF/FFFFFFFF:4294967295"));
	}
}

/* Any time between the years 1 and 9999 is what the C library says. */
static void
times_are_rfc_3339(void **state)
{
	Random random = random_begin();
	Headers headers;

	headers_init(&headers, 1, 1);
	for (int i = 0; i < 20000; i++)
	{
		Event event = event_of(EVENT_MESSAGE);
		int64_t seconds = (int64_t) random_below(&random, 315000000000u) -
						  INT64_C(62100000000);
		uint32_t us = (uint32_t) random_below(&random, 1000000);
		time_t at = (time_t) seconds;
		struct tm tm;
		char expected[64];

		event.time_us = seconds * 1000000 + us;
		assert_non_null(gmtime_r(&at, &tm));
		snprintf(expected, sizeof(expected),
				 "ce_time=%04d-%02d-%02dT%02d:%02d:%02d.%06uZ,",
				 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				 tm.tm_min, tm.tm_sec, us);
		headers_build(&headers, &event, 1, 1);
		assert_non_null(strstr(text_of(&headers), expected));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_a_cloud_event),
		cmocka_unit_test(a_member_is_named_by_both_ids),
		cmocka_unit_test(what_a_pair_names_is_named_by_both),
		cmocka_unit_test(a_user_has_no_ev),
		cmocka_unit_test(a_dead_letter_says_why),
		cmocka_unit_test(the_largest_numbers_fit),
		cmocka_unit_test(times_are_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
