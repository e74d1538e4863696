/*
 * bench_sockets - many sockets on one gateway: their cost, and a channel's
 *
 * In:   -p port -k secret-file -g pid-of-the-gateway; or -m raw: against a raw
 *       epoll server that it starts itself (raw_server.h)
 *       -f users: lines "user-id", each with -x sockets; the first -s sockets
 *       are of members of the conversation -c
 *       -t seconds of sending (idle they are for 25), -w messages under way
 * Out:  one line: sockets; seconds until all are welcome; resident bytes each;
 *       kernel bytes each (half of both ends'); idle CPU us a socket and second; messages/s; deliveries/s; CPU us a
 *       delivery; p50, p99 of a message to a socket (ms)
 *
 * A message carries when it was sent, so its way is timed at every 16th
 * socket.  One thread of epoll.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "jwt.h"
#include "process.h"
#include "raw_server.h"
#include "sample.h"
#include "uuid.h"

#define PARTS_MAX 65536 /* bytes of a frame that was cut */
#define IDLE_S    25.0  /* in which each is pinged once */

typedef struct Client
{
	int fd;
	int number;
	bool is_upgraded;
	char *rest; /* of a frame; NULL: none */
	size_t rest_len;
} Client;

typedef struct Load
{
	int port;
	int pid;
	bool is_raw;
	JwtKeys keys;
	char (*users)[UUID_TEXT_LEN + 1];
	int user_count;
	int per_user;
	int subscribers;
	const char *room;
	double seconds;
	int window;
	Client *clients;
	int count;
	int welcome;
	int epoll_fd;
	bool is_measured;
	uint64_t sent;
	uint64_t key_base;
	int64_t acked;
	int64_t deliveries;
	Sample way;
} Load;

static void
die(const char *what)
{
	fprintf(stderr, "bench_sockets: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
put_frame(Client *client, const char *text, size_t len)
{
	uint8_t frame[2048] = { 0x81 };
	size_t n = 2;

	if (len < 126)
		frame[1] = (uint8_t) (0x80 | len);
	else
	{
		frame[1] = 0x80 | 126;
		frame[2] = (uint8_t) (len >> 8);
		frame[3] = (uint8_t) len;
		n = 4;
	}
	memcpy(frame + n + 4, text, len); /* a mask of zeros */
	if (send(client->fd, frame, n + 4 + len, MSG_NOSIGNAL) !=
		(ssize_t) (n + 4 + len))
		die("send");
}

static void
put_hello(Load *load, Client *client)
{
	JwtClaims claims = { 0 };
	Error err;
	Buf text;

	buf_init(&text);
	buf_append_str(&text, "{\"type\":\"hello\",");
	if (load->is_raw)
		buf_printf(&text, "\"position\":\"%s\"}",
				   client->number < load->subscribers ? "s" : "");
	else
	{
		memcpy(claims.subject, load->users[client->number / load->per_user],
			   UUID_TEXT_LEN + 1);
		claims.issued_us = clock_wall_us();
		claims.expires_s = clock_wall_us() / 1000000 + 3600;
		buf_append_str(&text, "\"token\":\"");
		if (!jwt_sign_hs256(&load->keys.key[0], &claims, &text, &err))
		{
			fprintf(stderr, "bench_sockets: %s\n", err.text);
			exit(1);
		}
		buf_append_str(&text, "\"}");
	}
	put_frame(client, text.data, text.len);
	buf_fini(&text);
}

/* About 300 bytes of frame at the other end. */
static void
put_send(Load *load)
{
	char text[512];
	int len;

	len =
		snprintf(text, sizeof(text),
				 "{\"type\":\"send\",\"ref\":\"1\",\"conversationId\":"
				 "\"%s\",\"clientMsgId\":\"%08llx-0000-7000-8000-%012llx\","
				 "\"body\":\"t%lld\"}",
				 load->room, (unsigned long long) (load->key_base & 0xffffffff),
				 (unsigned long long) load->sent++, (long long) clock_now_us());
	put_frame(&load->clients[0], text, (size_t) len);
}

static void
take_text(Load *load, Client *client, const char *text, size_t len)
{
	size_t begin = len < 40 ? len : 40;
	const char *at = text;

	if (memmem(text, begin, "\"type\":\"events\"", 15))
	{
		int64_t now_us = clock_now_us();

		while ((at = memmem(at, len - (size_t) (at - text),
							"\"kind\":\"message\"", 16)))
		{
			at++;
			load->deliveries += load->is_measured;
		}
		at = memmem(text, len, "\"body\":\"t", 9);
		if (at != NULL && load->is_measured && client->number % 16 == 0)
			sample_add(&load->way, now_us - strtoll(at + 9, NULL, 10));
	}
	else if (memmem(text, begin, "\"type\":\"ok\"", 11))
	{
		load->acked += load->is_measured;
		if (load->window > 0)
			put_send(load);
	}
	else if (memmem(text, begin, "\"type\":\"welcome\"", 16))
		load->welcome++;
	else if (memmem(text, begin, "\"type\":\"error\"", 14))
	{
		fprintf(stderr, "bench_sockets: %.*s\n", (int) len, text);
		exit(1);
	}
}

/* Returns the bytes of whole frames. */
static size_t
take_frames(Load *load, Client *client, const char *bytes, size_t len)
{
	size_t at = 0;

	if (!client->is_upgraded)
	{
		const char *end = memmem(bytes, len, "\r\n\r\n", 4);

		if (end == NULL)
			return 0;
		if (len < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0)
		{
			fprintf(stderr, "bench_sockets: %.60s\n", bytes);
			exit(1);
		}
		client->is_upgraded = true;
		put_hello(load, client);
		at = (size_t) (end + 4 - bytes);
	}
	for (;;)
	{
		const uint8_t *p = (const uint8_t *) bytes + at;
		size_t head = 2;
		size_t size;

		if (len - at < 4)
			break;
		size = p[1] & 127u;
		if (size == 127)
			die("a frame of more than 64 KiB");
		if (size == 126)
		{
			head = 4;
			size = (size_t) p[2] << 8 | p[3];
		}
		if (len - at < head + size)
			break;
		if ((p[0] & 15) == 1)
			take_text(load, client, (const char *) p + head, size);
		else if ((p[0] & 15) == 9)
			(void) send(client->fd, "\x8a\x80\0\0\0\0", 6, MSG_NOSIGNAL);
		else if ((p[0] & 15) == 8)
			die("closed by the gateway");
		at += head + size;
	}
	/* A ping has no payload: two bytes. */
	if (len - at == 2 && (uint8_t) bytes[at] == 0x89 && bytes[at + 1] == 0)
	{
		(void) send(client->fd, "\x8a\x80\0\0\0\0", 6, MSG_NOSIGNAL);
		at += 2;
	}
	return at;
}

static void
serve(Load *load, int timeout_ms)
{
	static char in[2 * PARTS_MAX];
	struct epoll_event events[256];
	int n = epoll_wait(load->epoll_fd, events, 256, timeout_ms);

	for (int i = 0; i < n; i++)
	{
		Client *client = events[i].data.ptr;
		size_t len = client->rest_len;
		size_t used;
		ssize_t got;

		if (len > 0)
			memcpy(in, client->rest, len);
		got = recv(client->fd, in + len, PARTS_MAX, 0);
		if (got < 0 && errno == EAGAIN)
			continue;
		if (got <= 0)
			die("connection closed");
		len += (size_t) got;
		used = take_frames(load, client, in, len);
		free(client->rest);
		client->rest = NULL;
		client->rest_len = len - used;
		if (client->rest_len > PARTS_MAX)
			die("a frame that does not end");
		if (client->rest_len > 0)
		{
			client->rest = xmalloc(client->rest_len);
			memcpy(client->rest, in + used, client->rest_len);
		}
	}
}

static void
connect_client(Load *load, int number)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
								.sin_port = htons((uint16_t) load->port),
								.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	Client *client = &load->clients[number];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = client };
	char head[400];
	int one = 1;
	int len;

	client->number = number;
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (client->fd < 0 ||
		connect(client->fd, (struct sockaddr *) &addr, sizeof(addr)) != 0)
		die("connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &ev);
	len = snprintf(
		head, sizeof(head),
		"GET /v1/ws HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: chemchat.v1.json\r\n\r\n",
		load->port);
	if (send(client->fd, head, (size_t) len, MSG_NOSIGNAL) != len)
		die("send");
}

static void
read_users(Load *load, const char *path)
{
	FILE *file = fopen(path, "r");
	char user[64];

	if (file == NULL)
		die(path);
	load->users = xcalloc(RAW_MAX, sizeof(*load->users));
	while (load->user_count < RAW_MAX && fscanf(file, "%63s", user) == 1)
		memcpy(load->users[load->user_count++], user, UUID_TEXT_LEN);
	fclose(file);
}

static int64_t
resident_bytes(int pid)
{
	char path[64];
	long pages = 0;
	FILE *file;

	(void) snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	file = fopen(path, "r");
	if (file != NULL && fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return (int64_t) pages * sysconf(_SC_PAGESIZE);
}

/* What the kernel keeps: slab (sockets, files) and TCP's buffers. */
static int64_t
kernel_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[200];
	long kb = 0;
	long pages = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (sscanf(line, "Slab: %ld kB", &kb) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	file = fopen("/proc/net/sockstat", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (sscanf(line, "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %ld",
				   &pages) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return (int64_t) kb * 1024 + (int64_t) pages * sysconf(_SC_PAGESIZE);
}

static void
serve_for(Load *load, double seconds)
{
	int64_t until_us = clock_now_us() + (int64_t) (seconds * 1e6);

	while (clock_now_us() < until_us)
		serve(load, 20);
}

static void
start_raw(Load *load)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
								.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *) &addr, size) != 0 ||
		listen(fd, 4096) != 0 ||
		getsockname(fd, (struct sockaddr *) &addr, &size) != 0)
		die("listen");
	load->port = ntohs(addr.sin_port);
	load->pid = fork();
	if (load->pid == 0)
		raw_serve(fd);
	close(fd);
}

static void
measure(Load *load)
{
	int64_t resident = resident_bytes(load->pid);
	int64_t kernel = kernel_bytes();
	int64_t began_us = clock_now_us();
	int64_t before_us;
	double connected_s;
	double idle_us;
	double cpu_us;

	for (int i = 0; i < load->count; i++)
	{
		connect_client(load, i);
		if (i % 64 == 63)
			serve(load, 0);
	}
	while (load->welcome < load->count)
		serve(load, 100);
	connected_s = (double) (clock_now_us() - began_us) / 1e6;
	serve_for(load, 1);
	resident = (resident_bytes(load->pid) - resident) / load->count;
	kernel = (kernel_bytes() - kernel) / (2 * load->count);

	before_us = process_cpu_us(load->pid);
	serve_for(load, IDLE_S);
	idle_us = (double) (process_cpu_us(load->pid) - before_us) /
			  (IDLE_S * load->count);

	for (int i = 0; i < load->window; i++)
		put_send(load);
	serve_for(load, 0.5);
	load->is_measured = true;
	before_us = process_cpu_us(load->pid);
	serve_for(load, load->seconds);
	cpu_us = (double) (process_cpu_us(load->pid) - before_us);
	load->is_measured = false;
	sample_sort(&load->way);
	printf("%d %.2f %lld %lld %.2f %.0f %.0f %.2f %.2f %.2f\n", load->count,
		   connected_s, (long long) resident, (long long) kernel, idle_us,
		   (double) load->acked / load->seconds,
		   (double) load->deliveries / load->seconds,
		   load->deliveries > 0 ? cpu_us / (double) load->deliveries : 0,
		   sample_quantile_ms(&load->way, 0.5),
		   sample_quantile_ms(&load->way, 0.99));
}

int
main(int argc, char **argv)
{
	Load load = {
		.seconds = 4, .window = 8, .per_user = 1, .subscribers = 1, .room = ""
	};
	struct rlimit limit;
	Error err;
	int opt;

	while ((opt = getopt(argc, argv, "p:k:g:f:x:s:c:t:w:m:")) != -1)
		switch (opt)
		{
			case 'p':
				load.port = (int) strtol(optarg, NULL, 10);
				break;
			case 'k':
				if (!jwt_keys_load(optarg, &load.keys, &err))
				{
					fprintf(stderr, "bench_sockets: %s\n", err.text);
					return 1;
				}
				break;
			case 'g':
				load.pid = (int) strtol(optarg, NULL, 10);
				break;
			case 'f':
				read_users(&load, optarg);
				break;
			case 'x':
				load.per_user = (int) strtol(optarg, NULL, 10);
				break;
			case 's':
				load.subscribers = (int) strtol(optarg, NULL, 10);
				break;
			case 'c':
				load.room = optarg;
				break;
			case 't':
				load.seconds = strtod(optarg, NULL);
				break;
			case 'w':
				load.window = (int) strtol(optarg, NULL, 10);
				break;
			case 'm':
				load.is_raw = strcmp(optarg, "raw") == 0;
				break;
			default:
				return 2;
		}
	load.count = load.user_count * load.per_user;
	if (load.count == 0)
		return 2;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	load.key_base = (uint64_t) clock_wall_us();
	load.clients = xcalloc((size_t) load.count, sizeof(*load.clients));
	load.epoll_fd = epoll_create1(0);
	if (load.is_raw)
		start_raw(&load);
	measure(&load);
	if (load.is_raw)
		kill(load.pid, SIGKILL);
	return 0;
}
