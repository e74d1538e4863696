#include "ops_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xalloc.h"

#define MAX_REQUEST 8192
#define DEADLINE_US 5000000
#define MAX_DRAIN   65536

typedef enum State
{
	READING,
	WRITING,
	DRAINING /* answered; reads the rest, so that no reset eats the answer */
} State;

struct OpsConn
{
	int fd;
	State state;
	int64_t deadline_us;
	Buf in;
	Buf out;
	size_t written;
	size_t drained;
};

static bool read_request(OpsConn *conn, const OpsHooks *hooks);
static bool write_answer(OpsConn *conn);
static bool drain(OpsConn *conn);
static size_t head_len(const Buf *in);
static void answer(OpsConn *conn, size_t head, const OpsHooks *hooks);
static int parse_request(char *head, size_t len, char **path);
static void put_answer(OpsConn *conn, int status, const Buf *body);
static const char *status_text(int status);

OpsConn *
ops_conn_new(int take_fd, int64_t now_us)
{
	OpsConn *conn = xcalloc(1, sizeof *conn);

	conn->fd = take_fd;
	conn->deadline_us = now_us + DEADLINE_US;
	buf_init(&conn->in);
	buf_init(&conn->out);
	return conn;
}

void
ops_conn_free(OpsConn **conn)
{
	if (*conn == NULL)
		return;
	(void) close((*conn)->fd);
	buf_fini(&(*conn)->in);
	buf_fini(&(*conn)->out);
	free(*conn);
	*conn = NULL;
}

int
ops_conn_fd(const OpsConn *conn)
{
	return conn->fd;
}

short
ops_conn_events(const OpsConn *conn)
{
	return conn->state == WRITING ? POLLOUT : POLLIN;
}

bool
ops_conn_turn(OpsConn *conn, bool is_ready, int64_t now_us,
			  const OpsHooks *hooks)
{
	if (now_us >= conn->deadline_us)
		return false;
	if (!is_ready)
		return true;

	switch (conn->state)
	{
		case READING:
			return read_request(conn, hooks);
		case WRITING:
			return write_answer(conn);
		case DRAINING:
			return drain(conn);
	}
	return false;
}

static bool
read_request(OpsConn *conn, const OpsHooks *hooks)
{
	char *room = buf_reserve(&conn->in, MAX_REQUEST);
	ssize_t n = recv(conn->fd, room, MAX_REQUEST - conn->in.len, 0);
	size_t head;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	conn->in.len += (size_t) n;
	conn->in.data[conn->in.len] = '\0';

	head = head_len(&conn->in);
	if (head > 0)
		answer(conn, head, hooks);
	else if (conn->in.len >= MAX_REQUEST)
		put_answer(conn, 431, NULL);
	else
		return true;
	return write_answer(conn);
}

static bool
write_answer(OpsConn *conn)
{
	while (conn->written < conn->out.len)
	{
		ssize_t n = send(conn->fd, conn->out.data + conn->written,
						 conn->out.len - conn->written, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		conn->written += (size_t) n;
	}
	(void) shutdown(conn->fd, SHUT_WR);
	conn->state = DRAINING;
	return true;
}

static bool
drain(OpsConn *conn)
{
	char rest[4096];
	ssize_t n = recv(conn->fd, rest, sizeof rest, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	conn->drained += (size_t) n;
	return n > 0 && conn->drained < MAX_DRAIN;
}

/* Up to and with the blank line; 0 while there is none. */
static size_t
head_len(const Buf *in)
{
	const char *end = memmem(in->data, in->len, "\r\n\r\n", 4);

	if (end != NULL)
		return (size_t) (end - in->data) + 4;
	end = memmem(in->data, in->len, "\n\n", 2);
	return end != NULL ? (size_t) (end - in->data) + 2 : 0;
}

static void
answer(OpsConn *conn, size_t head, const OpsHooks *hooks)
{
	char *path = NULL;
	int status = parse_request(conn->in.data, head, &path);
	Buf body;

	buf_init(&body);
	if (status == 200)
		status = hooks->answer(hooks->context, path, &body);
	put_answer(conn, status, &body);
	buf_fini(&body);
}

/* Cuts the path out of "GET /path?query HTTP/1.1"; 200 when it is one. */
static int
parse_request(char *head, size_t len, char **path)
{
	char *line_end = memchr(head, '\n', len);
	char *target;
	char *version;

	if (memchr(head, '\0', len) != NULL || line_end == NULL)
		return 400;
	*line_end = '\0';
	if (line_end > head && line_end[-1] == '\r')
		line_end[-1] = '\0';

	target = strchr(head, ' ');
	if (target == NULL || target == head)
		return 400;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (version == NULL)
		return 400;
	*version++ = '\0';
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return 400;
	if (strcmp(head, "GET") != 0)
		return 405;
	if (target[0] != '/')
		return 400;
	target[strcspn(target, "?#")] = '\0';
	*path = target;
	return 200;
}

static void
put_answer(OpsConn *conn, int status, const Buf *body)
{
	size_t len = body != NULL ? body->len : 0;

	buf_printf(&conn->out, "HTTP/1.1 %d %s\r\n", status, status_text(status));
	if (status == 405)
		buf_append_str(&conn->out, "Allow: GET\r\n");
	buf_printf(&conn->out,
			   "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			   "Content-Length: %zu\r\n"
			   "Cache-Control: no-store\r\n"
			   "X-Content-Type-Options: nosniff\r\n"
			   "Connection: close\r\n\r\n",
			   len);
	if (len > 0)
		buf_append(&conn->out, body->data, len);
	conn->state = WRITING;
}

static const char *
status_text(int status)
{
	switch (status)
	{
		case 200:
			return "OK";
		case 400:
			return "Bad Request";
		case 404:
			return "Not Found";
		case 405:
			return "Method Not Allowed";
		case 431:
			return "Request Header Fields Too Large";
		default:
			return "Service Unavailable";
	}
}
