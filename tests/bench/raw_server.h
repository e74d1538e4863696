/*
 * raw_server - the least a server of WebSockets can be, to measure beside
 *
 * One thread of epoll: answers 101 without a look, `welcome` to a hello, and to
 * a send one `ok` and one frame of RAW_FRAME_BYTES to everybody whose hello
 * said "position":"s", each with a send() of its own.  No checks, no queues.
 */
#ifndef CHEMCHAT_RAW_SERVER_H
#define CHEMCHAT_RAW_SERVER_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xalloc.h"

#define RAW_FRAME_BYTES 300
#define RAW_MAX         70000

typedef struct RawServer
{
	int epoll_fd;
	int listen_fd;
	int *subscribers;
	int subscriber_count;
	unsigned char frame[RAW_FRAME_BYTES + 4];
} RawServer;

static inline void
raw_text(int fd, const char *text)
{
	unsigned char frame[128] = { 0x81 };
	size_t len = strlen(text);

	frame[1] = (unsigned char) len;
	memcpy(frame + 2, text, len);
	(void) send(fd, frame, len + 2, MSG_NOSIGNAL);
}

static inline void
raw_bytes(RawServer *server, int fd, const char *bytes, size_t len)
{
	static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\n"
							  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
							  "Sec-WebSocket-Accept: "
							  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	const char *at;

	if (len > 4 && memcmp(bytes, "GET ", 4) == 0)
		(void) send(fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL);
	if (memmem(bytes, len, "\"type\":\"hello\"", 14) != NULL)
	{
		if (memmem(bytes, len, "\"position\":\"s\"", 14) != NULL)
			server->subscribers[server->subscriber_count++] = fd;
		raw_text(fd, "{\"type\":\"welcome\"}");
	}
	for (at = bytes; (at = memmem(at, len - (size_t) (at - bytes),
								  "\"type\":\"send\"", 13));
		 at++)
	{
		raw_text(fd, "{\"type\":\"ok\"}");
		for (int i = 0; i < server->subscriber_count; i++)
			(void) send(server->subscribers[i], server->frame,
						sizeof(server->frame), MSG_NOSIGNAL);
	}
}

/* Never returns; fd listens. */
static inline void
raw_serve(int listen_fd)
{
	static const char text[] = "{\"type\":\"events\",\"events\":[{\"kind\":"
							   "\"message\",\"body\":\"";
	RawServer server = { .listen_fd = listen_fd };
	struct epoll_event events[256];
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listen_fd };
	static char in[65536];

	server.epoll_fd = epoll_create1(0);
	server.subscribers = xcalloc(RAW_MAX, sizeof(int));
	memset(server.frame, 'x', sizeof(server.frame));
	server.frame[0] = 0x81;
	server.frame[1] = 126;
	server.frame[2] = RAW_FRAME_BYTES >> 8;
	server.frame[3] = RAW_FRAME_BYTES & 0xff;
	memcpy(server.frame + 4, text, sizeof(text) - 1);
	epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
	for (;;)
	{
		int n = epoll_wait(server.epoll_fd, events, 256, -1);

		for (int i = 0; i < n; i++)
		{
			int fd = events[i].data.fd;
			ssize_t got;
			int one = 1;

			if (fd == listen_fd)
			{
				fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
				if (fd < 0)
					continue;
				(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
								  sizeof(one));
				event.data.fd = fd;
				epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, fd, &event);
				continue;
			}
			got = recv(fd, in, sizeof(in), 0);
			if (got > 0)
				raw_bytes(&server, fd, in, (size_t) got);
			else if (got == 0)
				close(fd);
		}
	}
}

#endif
