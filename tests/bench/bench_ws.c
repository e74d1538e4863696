/*
 * bench_ws - load on the gateway, from one thread of epoll
 *
 * In:   -h host -p port -k secret-file -f rooms -t seconds
 *       -m sends -w window     every connection keeps `window` sends unanswered
 *       -m latency -r rate     sends of all connections together, a second
 *       rooms: lines "user-id conversation-id", one connection each
 * Out:  one line: acknowledged sends a second; send to ok p50, p99; send to
 *       the other members' frame p50, p99 (ms); frames received; errors
 *
 * A body is "t<microseconds>", so the receiver knows when it was sent: both
 * ends are this process and share a clock.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "jwt.h"
#include "sample.h"
#include "uuid.h"

typedef struct Client
{
	int fd;
	char user[UUID_TEXT_LEN + 1];
	char room[UUID_TEXT_LEN + 1];
	Buf in;
	Buf out;
	bool is_upgraded;
	bool is_welcome;
	int unanswered;
	uint64_t sent;
} Client;

typedef struct Load
{
	const char *host;
	int port;
	JwtKeys keys;
	bool is_latency;
	int window;
	int64_t rate;
	double seconds;
	Client *clients;
	int count;
	int welcome;
	int epoll_fd;
	int64_t started;
	bool is_over;
	uint64_t turn;
	uint64_t key_base;
	int64_t acked;
	int64_t frames;
	int64_t errors;
	Sample ok;
	Sample frame;
} Load;

static void
die(const char *what)
{
	fprintf(stderr, "bench_ws: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
flush_out(Load *load, Client *client)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = client };

	while (client->out.len > 0)
	{
		ssize_t n =
			send(client->fd, client->out.data, client->out.len, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			die("send");
		buf_consume(&client->out, (size_t) n);
	}
	if (client->out.len > 0)
		ev.events |= EPOLLOUT;
	epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, client->fd, &ev);
}

/* A masked text frame; the mask is zero, so the bytes stay as they are. */
static void
put_frame(Client *client, const char *text, size_t len)
{
	uint8_t head[8];
	size_t n = 2;

	head[0] = 0x81;
	if (len < 126)
		head[1] = (uint8_t) (0x80 | len);
	else
	{
		head[1] = 0x80 | 126;
		head[2] = (uint8_t) (len >> 8);
		head[3] = (uint8_t) len;
		n = 4;
	}
	memset(head + n, 0, 4);
	buf_append(&client->out, head, n + 4);
	buf_append(&client->out, text, len);
}

static void
put_send(Load *load, Client *client)
{
	char text[512];
	int len;

	len = snprintf(text, sizeof(text),
				   "{\"type\":\"send\",\"ref\":\"%lld\",\"conversationId\":"
				   "\"%s\",\"clientMsgId\":\"%08llx-%04x-7000-8000-%012llx\","
				   "\"body\":\"t%lld\"}",
				   (long long) clock_now_us(), client->room,
				   (unsigned long long) (load->key_base & 0xffffffff),
				   (unsigned) (client - load->clients) & 0xffff,
				   (unsigned long long) client->sent++,
				   (long long) clock_now_us());
	put_frame(client, text, (size_t) len);
	client->unanswered++;
}

static void
put_hello(Load *load, Client *client)
{
	JwtClaims claims = { 0 };
	Error err;
	Buf text;

	memcpy(claims.subject, client->user, sizeof(client->user));
	claims.issued_us = clock_wall_us();
	claims.expires_s = clock_wall_us() / 1000000 + 3600;
	buf_init(&text);
	buf_append_str(&text, "{\"type\":\"hello\",\"token\":\"");
	if (!jwt_sign_hs256(&load->keys.key[0], &claims, &text, &err))
	{
		fprintf(stderr, "bench_ws: %s\n", err.text);
		exit(1);
	}
	buf_append_str(&text, "\"}");
	put_frame(client, text.data, text.len);
	buf_fini(&text);
}

/* Frames come from our own gateway: a scan for the two numbers suffices. */
static void
take_text(Load *load, Client *client, const char *text, size_t len)
{
	int64_t now = clock_now_us();
	const char *at;

	if (memmem(text, len < 40 ? len : 40, "\"type\":\"ok\"", 11))
	{
		client->unanswered--;
		if (load->is_over)
			return;
		load->acked++;
		at = memmem(text, len, "\"ref\":\"", 7);
		if (at)
			sample_add(&load->ok, now - strtoll(at + 7, NULL, 10));
		if (!load->is_latency)
			put_send(load, client);
	}
	else if (memmem(text, len < 40 ? len : 40, "\"type\":\"events\"", 15))
	{
		const char *end = text + len;
		char own[80];

		snprintf(own, sizeof(own), "\"sender\":\"%s\"", client->user);
		at = text;
		while ((at = memmem(at, (size_t) (end - at), "\"sender\":\"", 10)))
		{
			bool is_own = strncmp(at, own, strlen(own)) == 0;

			load->frames++;
			at = memmem(at, (size_t) (end - at), "\"body\":\"t", 9);
			if (!at)
				break;
			if (!is_own && !load->is_over)
				sample_add(&load->frame, now - strtoll(at + 9, NULL, 10));
		}
	}
	else if (memmem(text, len < 40 ? len : 40, "\"type\":\"welcome\"", 16))
	{
		client->is_welcome = true;
		load->welcome++;
	}
	else if (memmem(text, len < 40 ? len : 40, "\"type\":\"error\"", 14))
	{
		if (load->errors++ < 5)
			fprintf(stderr, "bench_ws: %.*s\n", (int) len, text);
		client->unanswered--;
		if (!load->is_over && !load->is_latency)
			put_send(load, client);
	}
}

static void
take_bytes(Load *load, Client *client)
{
	Buf *in = &client->in;
	size_t at = 0;

	if (!client->is_upgraded)
	{
		char *end = memmem(in->data, in->len, "\r\n\r\n", 4);

		if (!end)
			return;
		if (strncmp(in->data, "HTTP/1.1 101", 12) != 0)
		{
			fprintf(stderr, "bench_ws: %.60s\n", in->data);
			exit(1);
		}
		client->is_upgraded = true;
		put_hello(load, client);
		at = (size_t) (end + 4 - in->data);
	}
	for (;;)
	{
		const uint8_t *p = (const uint8_t *) in->data + at;
		size_t have = in->len - at;
		size_t head = 2;
		uint64_t len;

		if (have < 2)
			break;
		len = p[1] & 127;
		if (len == 126)
		{
			head = 4;
			if (have < head)
				break;
			len = (uint64_t) p[2] << 8 | p[3];
		}
		else if (len == 127)
		{
			head = 10;
			if (have < head)
				break;
			len = 0;
			for (int i = 2; i < 10; i++)
				len = len << 8 | p[i];
		}
		if (have < head + len)
			break;
		if ((p[0] & 15) == 1)
			take_text(load, client, (const char *) p + head, (size_t) len);
		else if ((p[0] & 15) == 9)
		{
			uint8_t pong[6] = { 0x8a, 0x80, 0, 0, 0, 0 };

			buf_append(&client->out, pong, 6);
		}
		else if ((p[0] & 15) == 8)
		{
			fprintf(stderr, "bench_ws: closed by the gateway\n");
			exit(1);
		}
		at += head + (size_t) len;
	}
	buf_consume(in, at);
}

static void
serve(Load *load, int64_t timeout_us)
{
	struct epoll_event events[256];
	struct timespec timeout = { .tv_sec = timeout_us / 1000000,
								.tv_nsec = timeout_us % 1000000 * 1000 };
	int n = epoll_pwait2(load->epoll_fd, events, 256, &timeout, NULL);

	for (int i = 0; i < n; i++)
	{
		Client *client = events[i].data.ptr;

		if (events[i].events & EPOLLIN)
		{
			char *room = buf_reserve(&client->in, 65536);
			ssize_t got = recv(client->fd, room, 65536, 0);

			if (got == 0)
			{
				fprintf(stderr, "bench_ws: connection closed\n");
				exit(1);
			}
			if (got < 0 && errno != EAGAIN)
				die("recv");
			if (got > 0)
				client->in.len += (size_t) got;
			take_bytes(load, client);
		}
		flush_out(load, client);
	}
}

static void
connect_client(Load *load, Client *client)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
								.sin_port = htons((uint16_t) load->port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = client };
	int one = 1;

	inet_pton(AF_INET, load->host, &addr.sin_addr);
	buf_init(&client->in);
	buf_init(&client->out);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (client->fd < 0 ||
		connect(client->fd, (struct sockaddr *) &addr, sizeof(addr)) != 0)
		die("connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &ev);
	buf_printf(&client->out,
			   "GET /v1/ws HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			   "Sec-WebSocket-Protocol: chemchat.v1.json\r\n\r\n",
			   load->host, load->port);
	flush_out(load, client);
}

static void
read_rooms(Load *load, const char *path)
{
	FILE *file = fopen(path, "r");
	char user[64];
	char room[64];

	if (!file)
		die(path);
	load->clients = xcalloc(20000, sizeof(*load->clients));
	while (load->count < 20000 && fscanf(file, "%63s %63s", user, room) == 2)
	{
		Client *client = &load->clients[load->count++];

		memcpy(client->user, user, UUID_TEXT_LEN);
		memcpy(client->room, room, UUID_TEXT_LEN);
	}
	fclose(file);
}

static void
run_sends(Load *load)
{
	for (int i = 0; i < load->count; i++)
	{
		for (int w = 0; w < load->window; w++)
			put_send(load, &load->clients[i]);
		flush_out(load, &load->clients[i]);
	}
	while (clock_now_us() - load->started < (int64_t) (load->seconds * 1e6))
		serve(load, 100000);
}

/* Sleeps to the microsecond: a load that spins takes a core from what it measures. */
static void
run_latency(Load *load)
{
	int64_t sent = 0;

	while (clock_now_us() - load->started < (int64_t) (load->seconds * 1e6))
	{
		int64_t due = load->started + sent * 1000000 / load->rate;
		int64_t wait = due - clock_now_us();

		if (wait <= 0)
		{
			Client *client = &load->clients[sent++ % load->count];

			put_send(load, client);
			flush_out(load, client);
			serve(load, 0);
		}
		else
			serve(load, wait);
	}
}

int
main(int argc, char **argv)
{
	Load load = { .host = "127.0.0.1", .window = 4, .rate = 200, .seconds = 5 };
	const char *rooms = NULL;
	Error err;
	double elapsed;
	int opt;

	while ((opt = getopt(argc, argv, "h:p:k:f:t:m:w:r:")) != -1)
		switch (opt)
		{
			case 'h':
				load.host = optarg;
				break;
			case 'p':
				load.port = (int) strtol(optarg, NULL, 10);
				break;
			case 'k':
				if (!jwt_keys_load(optarg, &load.keys, &err))
				{
					fprintf(stderr, "bench_ws: %s\n", err.text);
					return 1;
				}
				break;
			case 'f':
				rooms = optarg;
				break;
			case 't':
				load.seconds = strtod(optarg, NULL);
				break;
			case 'm':
				load.is_latency = strcmp(optarg, "latency") == 0;
				break;
			case 'w':
				load.window = (int) strtol(optarg, NULL, 10);
				break;
			case 'r':
				load.rate = strtol(optarg, NULL, 10);
				break;
			default:
				return 2;
		}
	if (!rooms || load.keys.count == 0 || load.port == 0)
		return 2;
	(void) prctl(PR_SET_TIMERSLACK, 1000);
	load.epoll_fd = epoll_create1(0);
	load.key_base = (uint64_t) clock_wall_us();
	read_rooms(&load, rooms);
	for (int i = 0; i < load.count; i++)
		connect_client(&load, &load.clients[i]);
	load.started = clock_now_us();
	while (load.welcome < load.count)
	{
		serve(&load, 100000);
		if (clock_now_us() - load.started > 20000000)
		{
			fprintf(stderr, "bench_ws: %d of %d welcomed in 20 s\n",
					load.welcome, load.count);
			return 1;
		}
	}
	load.started = clock_now_us();
	if (load.is_latency)
		run_latency(&load);
	else
		run_sends(&load);
	elapsed = (double) (clock_now_us() - load.started) / 1e6;
	load.is_over = true;
	sample_sort(&load.ok);
	sample_sort(&load.frame);
	printf("%.0f %.3f %.3f %.3f %.3f %lld %lld\n",
		   (double) load.acked / elapsed, sample_quantile_ms(&load.ok, 0.5),
		   sample_quantile_ms(&load.ok, 0.99),
		   sample_quantile_ms(&load.frame, 0.5),
		   sample_quantile_ms(&load.frame, 0.99), (long long) load.frames,
		   (long long) load.errors);
	return 0;
}
