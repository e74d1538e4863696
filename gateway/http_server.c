#include "http_server.h"

#include <stdlib.h>

#include "clock.h"
#include "http_conn.h"
#include "xalloc.h"

static void end_all(HttpList *list);

HttpServer *
http_server_new(const HttpServerConfig *config)
{
	HttpServer *server = xcalloc(1, sizeof(*server));

	server->config = *config;
	return server;
}

void
http_server_free(HttpServer **server_ref)
{
	HttpServer *server = *server_ref;

	if (server == NULL)
		return;
	*server_ref = NULL;
	end_all(&server->waiting);
	end_all(&server->working);
	free(server);
}

void
http_server_take(HttpServer *server, Conn *take_conn)
{
	http_conn_begin(server, take_conn);
}

bool
http_server_make_room(HttpServer *server)
{
	HttpConn *oldest = server->waiting.head;

	if (server->count < server->config.max_connections)
		return true;
	if (oldest == NULL ||
		clock_now_us() - oldest->waits_since_us < HTTP_ROOM_MS * 1000)
		return false;
	server->counts.sent_away++;
	http_conn_end(oldest);
	return true;
}

void
http_server_stop(HttpServer *server)
{
	server->is_stopped = true;
	for (HttpConn *http = server->waiting.head, *next; http != NULL;
		 http = next)
	{
		next = http->next;
		if (http->in.len == 0)
			http_conn_end(http);
	}
}

int
http_server_count(const HttpServer *server)
{
	return server->count;
}

int
http_server_busy(const HttpServer *server)
{
	return server->busy;
}

const HttpCounts *
http_server_counts(const HttpServer *server)
{
	return &server->counts;
}

void
http_server_add(HttpConn *http, bool is_waiting)
{
	HttpServer *server = http->server;
	HttpList *list = is_waiting ? &server->waiting : &server->working;

	http->is_on_waiting = is_waiting;
	http->waits_since_us = clock_now_us();
	http->prev = list->tail;
	http->next = NULL;
	if (list->tail != NULL)
		list->tail->next = http;
	else
		list->head = http;
	list->tail = http;
}

void
http_server_remove(HttpConn *http)
{
	HttpServer *server = http->server;
	HttpList *list = http->is_on_waiting ? &server->waiting : &server->working;

	if (http->prev != NULL)
		http->prev->next = http->next;
	else
		list->head = http->next;
	if (http->next != NULL)
		http->next->prev = http->prev;
	else
		list->tail = http->prev;
}

static void
end_all(HttpList *list)
{
	for (HttpConn *http = list->head, *next; http != NULL; http = next)
	{
		next = http->next;
		http_conn_hang_up(http);
	}
}
