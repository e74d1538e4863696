/* uses: common/pg common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "pg_session.h"

#define CROWD 8

static int
connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	(void) connect(fd, (const struct sockaddr *) address, sizeof(*address));
	return fd;
}

static bool
is_connected(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 100) == 1;
}

/*
 * A port whose queue is full: the kernel drops what further clients send, as
 * if nobody were there.
 */
static void
fill_queue(int listener, struct sockaddr_in *address, int crowd[CROWD])
{
	socklen_t len = sizeof(*address);
	int count = 0;

	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *) address, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *) address, &len),
					 0);
	do
	{
		assert_true(count < CROWD);
		crowd[count] = connect_to(address);
	} while (is_connected(crowd[count++]));
	while (count < CROWD)
		crowd[count++] = -1;
}

static void
a_server_that_does_not_answer_holds_nobody_up(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address;
	int crowd[CROWD];
	char conninfo[80];
	PgTarget target = { .conninfo = conninfo,
						.application_name = "test",
						.connect_timeout_ms = 300 };
	PgSession *session;
	PgStep step = PG_PENDING;
	int64_t began_us;
	Error err = { "" };

	(void) state;
	fill_queue(listener, &address, crowd);
	snprintf(conninfo, sizeof(conninfo),
			 "host=127.0.0.1 port=%d dbname=x sslmode=disable",
			 ntohs(address.sin_port));

	began_us = clock_now_us();
	session = pg_session_open(&target, &err);
	assert_non_null(session);
	for (int i = 0; i < 100 && step == PG_PENDING; i++)
	{
		int64_t asked_us = clock_now_us();

		step = pg_session_step(session, &err);
		assert_true(clock_now_us() - asked_us < 1000000);
		(void) poll(NULL, 0, 10);
	}
	assert_int_equal(step, PG_FAILED);
	assert_non_null(strstr(err.text, "timed out"));
	assert_true(clock_now_us() - began_us < 2000000);

	pg_session_close(&session);
	for (int i = 0; i < CROWD; i++)
	{
		if (crowd[i] >= 0)
			close(crowd[i]);
	}
	close(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_does_not_answer_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
